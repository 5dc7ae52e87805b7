import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/system-clock.ts'
import { lockDirectory } from '../../src/files/directory-lock.ts'
import type { Application, SettingsInput } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { openLmdbStores } from '../../src/state/open-lmdb-stores.ts'
import type { ReadOnlyKeyValueStore, ValueAndTimestamp } from '../../src/state/store.ts'
import { useLocalBroker } from '../support/local-broker.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

interface Run extends Application {
  readonly warnings: readonly string[]
  readonly restored: number
}

describe('state on disk', () => {
  const local = useLocalBroker()
  const running = new Set<Application>()

  afterEach(async () => {
    for (const application of running) await application.close()
    running.clear()
  })

  let trials = 0
  const trial = async () => {
    const name = `stale-${++trials}`
    const words = topic(`${name}-words`, { value: string })
    const program = topology(name, (builder) => void builder.table(words, { store: 'words' }))
    await local.client.create(words)
    const slot = (disk: string): string => join(local.folder, name, disk, name, 'process-0')
    const run = async (disk: string, settings: Partial<SettingsInput> = {}, laterMs = 0): Promise<Run> => {
      const warnings: string[] = []
      let restored = 0
      const application = await start(
        program,
        {
          bootstrapServers: local.broker.bootstrapServers,
          stateDirectory: join(local.folder, name, disk),
          ...settings,
        },
        {
          clock: { ...systemClock, now: () => systemClock.now() + laterMs },
          onWarning: (warning) => void warnings.push(warning),
          onRestore: (progress) => (restored = progress.restoredRecords),
        },
      )
      running.add(application)
      await application.waitFor('running')
      return Object.assign(application, {
        warnings,
        get restored() {
          return restored
        },
      })
    }
    const rowsOf = (application: Application): readonly string[] =>
      Array.from(
        (
          application.store('words', 0) as unknown as ReadOnlyKeyValueStore<string, ValueAndTimestamp<string>>
        ).all(),
        ([key]) => key,
      )
    /** Writes rows, null to delete one, and waits until the table has `expected`. */
    const put = async (
      application: Application,
      keys: readonly (readonly [string, string | null])[],
      expected: readonly string[],
    ): Promise<void> => {
      await local.client.write(
        words,
        keys.map(([key, value]) => ({ key, value })),
      )
      await expect.poll(() => rowsOf(application), { interval: 5 }).toEqual(expected)
    }
    /** A first run leaves `a` and `b` on its disk. */
    const begin = async (laterMs = 0): Promise<void> => {
      const first = await run('one', {}, laterMs)
      await put(
        first,
        [
          ['a', '1'],
          ['b', '1'],
        ],
        ['a', 'b'],
      )
      await first.close()
    }
    return { run, rowsOf, put, begin, slot, changelog: `${name}-words-changelog` }
  }

  it('is continued where it belongs to its changelog, with nothing to restore', async () => {
    const { run, rowsOf, begin } = await trial()
    await begin()
    const again = await run('one', {}, 23 * hourMs)
    expect(rowsOf(again)).toEqual(['a', 'b'])
    expect(again.restored).toBe(0)
    expect(again.warnings).toEqual([])
  })

  it('of a changelog that was deleted and created again is set aside and restored', async () => {
    const { run, rowsOf, put, begin, slot, changelog } = await trial()
    await begin()
    await local.client.admin.deleteTopics([changelog])
    const again = await run('one')
    expect(rowsOf(again)).toEqual([])
    expect(again.warnings.join()).toMatch(
      /task 0_0 is restored.*store 'words' was made from an earlier changelog/,
    )
    expect(existsSync(join(slot('one'), '0_0.outdated'))).toBe(true)
    await put(again, [['c', '1']], ['c'])
    await again.close()
    const third = await run('one')
    expect(rowsOf(third)).toEqual(['c'])
    expect(third.warnings).toEqual([])
  })

  it('of a changelog whose start is beyond it is set aside and restored', async () => {
    const { run, rowsOf, put, begin, changelog } = await trial()
    await begin()
    const other = await run('other')
    await put(
      other,
      [
        ['a', null],
        ['b', '2'],
      ],
      ['b'],
    )
    await put(other, [['c', '1']], ['b', 'c'])
    await other.close()
    await local.client.admin.alterConfigs(changelog, { 'cleanup.policy': 'compact,delete' })
    await local.client.admin.deleteRecords([{ topic: changelog, partition: 0, offset: 3 }])
    const again = await run('one')
    expect(again.warnings.join()).toMatch(/is at offset 2 of its changelog, which begins at 3/)
    expect(rowsOf(again)).toEqual(['b', 'c'])
  })

  it('older than delete.retention.ms of its changelog is set aside and restored', async () => {
    const { run, rowsOf, begin } = await trial()
    await begin()
    const again = await run('one', {}, 25 * hourMs)
    expect(again.warnings.join()).toMatch(/drops deletions after 86400000 ms \(delete\.retention\.ms\)/)
    expect(rowsOf(again)).toEqual(['a', 'b'])
    expect(again.restored).toBe(2)
  })

  it('may be as old as its changelog keeps deletions', async () => {
    const { run, begin, changelog } = await trial()
    await begin()
    await local.client.admin.alterConfigs(changelog, { 'delete.retention.ms': String(7 * dayMs) })
    const again = await run('one', {}, 6 * dayMs)
    expect(again.warnings).toEqual([])
    expect(again.restored).toBe(0)
  })

  it('from before the clock was set back is restored, as its age is unknown', async () => {
    const { run, begin } = await trial()
    await begin(2 * hourMs)
    const again = await run('one')
    expect(again.warnings.join()).toMatch(/the clock was set back/)
    expect(again.restored).toBe(2)
  })

  it('without a note of its changelog, as earlier versions wrote it, is restored', async () => {
    const { run, rowsOf, begin, slot } = await trial()
    await begin()
    const stores = openLmdbStores(join(slot('one'), '0_0'), { clock: systemClock })
    const { stores: definitions } = topology(
      't',
      (builder) => void builder.table(topic('w', { value: string }), { store: 'words' }),
    )
    for (const definition of definitions) stores.open(definition, { append: () => {} }).persist(2)
    await stores.close()
    const again = await run('one')
    expect(again.warnings.join()).toMatch(/by a version that did not note its changelog/)
    expect(rowsOf(again)).toEqual(['a', 'b'])
  })

  it('leaves out rows of its changelog whose keys are too long for a disk, with a warning', async () => {
    const { run, rowsOf, changelog } = await trial()
    await local.client.create({ name: changelog })
    await local.client.write(topic(changelog, { value: string }), [
      { key: 'a', value: '1' },
      { key: 'b'.repeat(2_500), value: '1' },
    ])
    const application = await run('one')
    expect(rowsOf(application)).toEqual(['a'])
    expect(application.warnings).toContainEqual(
      expect.stringMatching(/1 row of store 'words', partition 0, cannot be restored .* 2500 bytes/),
    )
  })

  it('of a task that is not assigned is deleted after stateCleanupDelayMs, and so is what was set aside', async () => {
    const { run, begin, slot, changelog } = await trial()
    await begin()
    await local.client.admin.deleteTopics([changelog])
    mkdirSync(join(slot('one'), '0_7'))
    mkdirSync(join(slot('one'), '0_7.damaged-2'))
    const again = await run('one', { stateCleanupDelayMs: 100 })
    expect(readdirSync(slot('one'))).toContain('0_7')
    await expect
      .poll(() => readdirSync(slot('one')).filter((name) => /^\d/.test(name)), {
        interval: 20,
      })
      .toEqual(['0_0'])
    expect(again.state).toBe('running')
  })

  it('in slots that no process holds is deleted after stateCleanupDelayMs', async () => {
    const { run, begin, slot } = await trial()
    await begin()
    const root = dirname(slot('one'))
    const state = (): readonly string[] =>
      readdirSync(root)
        .filter((name) => name !== 'process-0')
        .flatMap((name) => readdirSync(join(root, name)).map((file) => `${name}/${file}`))
        .filter((path) => !path.includes('claim') && !path.includes('process-id'))
    for (const name of ['process-1', 'process-2']) {
      mkdirSync(join(root, name, '0_3'), { recursive: true })
      mkdirSync(join(root, name, '0_3.damaged'))
      writeFileSync(join(root, name, 'process-id'), name)
    }
    const held = await lockDirectory(join(root, 'process-2'))
    await run('one', { stateCleanupDelayMs: 100 })
    await expect.poll(state, { interval: 20 }).not.toContain('process-1/0_3')
    expect(state().filter((path) => path.startsWith('process-1'))).toEqual([])
    expect(readdirSync(join(root, 'process-1'))).toContain('process-id')
    expect(state()).toEqual(expect.arrayContaining(['process-2/0_3', 'process-2/0_3.damaged']))
    if (held.kind === 'locked') held.release()
    await expect.poll(state, { interval: 20 }).toEqual([])
  })
})
