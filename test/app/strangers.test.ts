import type { Dirent } from 'node:fs'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { AbandonedSlots } from '../../src/app/abandoned-slots.ts'
import { diskTaskFolders } from '../../src/app/disk-task-folders.ts'
import { resetGroup } from '../../src/app/reset.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { holderOfDirectory, lockDirectory } from '../../src/files/directory-lock.ts'
import type { ReplayResult, Topology } from '../../src/index.ts'
import { long, replay, reset, start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'
import { millraceHere } from '../support/run-command.ts'

/** Commands and routines that delete or overwrite, each aimed at what belongs to something else. */
describe('what belongs to another is left as it is', () => {
  const local = useLocalBroker()
  const words = topic('words', { key: string, value: string })
  const orders = topic('orders', { value: long })

  const counting = (name: string, store = 'counts'): Topology =>
    topology(name, (builder) => {
      builder
        .stream(words)
        .groupBy(({ value }) => value, { name: 'by-word' })
        .count({ store })
        .toStream()
        .to(orders)
    })

  const path = (...names: readonly string[]): string => join(local.folder, ...names)
  const write = (...names: readonly string[]): void => {
    mkdirSync(dirname(path(...names)), { recursive: true })
    writeFileSync(path(...names), names.join())
  }
  const settings = () => ({
    bootstrapServers: local.broker.bootstrapServers,
    stateDirectory: path('states'),
  })
  const run = async (program: Topology, counted: number): Promise<void> => {
    const application = await start(program, settings())
    await application.waitFor('running')
    await local.client.readUntil(orders, (records) => records.length >= counted)
    await application.close()
  }

  beforeAll(async () => {
    await local.client.create(
      words,
      orders,
      { name: 'eu-orders' },
      { name: 'eu-dead' },
      { name: 'eu-shop-counts-changelog' },
      { name: 'made-by-word-repartition' },
    )
    await local.client.write(
      words,
      ['ada', 'bob'].map((value) => ({ key: 'k', value })),
    )
    await local.client.write(topic('eu-orders', { key: string, value: string }), [
      { key: 'k', value: 'live' },
    ])
    await local.client.admin.alterGroupOffsets('eu-shop', [{ topic: 'eu-orders', partition: 0, offset: 1 }])
    await local.client.admin.alterGroupOffsets('reader', [{ topic: 'words', partition: 0, offset: 1 }])
    await run(counting('shop'), 2)
    await run(counting('shop-eu'), 4)

    write('precious', 'file')
    write('states', 'file')
    write('states', 'src', 'app', 'main.ts')
    write('states', 'src', 'app', 'new-notes')
    write('states', 'src', 'process-0', 'index.ts')
    utimesSync(path('states', 'src', 'app', 'new-notes'), 0, 0)
    write('states', 'notes', 'process-0', 'process-id')
    write('states', 'notes', 'process-0', '0_0', 'data.mdb')
    write('states', 'notes', 'process-0', '0_0', 'notes.txt')
    write('states', 'dated', 'process-0', '2024_01.csv')
    write('states', 'dated', 'process-0', '2024_01.damaged.csv')
    mkdirSync(path('states', 'nested', 'process-0', '0_0', 'data.mdb'), { recursive: true })
    mkdirSync(path('states', 'parts'))
    mkdirSync(path('states', 'task', 'process-0'), { recursive: true })
    mkdirSync(path('states', 'files', 'process-0', '0_0'), { recursive: true })
    symlinkSync(path('states', 'shop'), path('states', 'linked'))
    symlinkSync(path('states', 'shop', 'process-0'), path('states', 'parts', 'process-0'))
    symlinkSync(path('states', 'shop', 'process-0', '0_0'), path('states', 'task', 'process-0', '0_0'))
    symlinkSync(path('precious', 'file'), path('states', 'files', 'process-0', '0_0', 'data.mdb'))
  })

  /** Every file, topic and committed offset there is. */
  const everything = async (): Promise<Record<string, unknown>> => {
    const { admin } = local.client
    const topics = await admin.listTopics()
    const places = topics.map((name) => ({ topic: name, partition: 0 }))
    const offsetsOf = async (at: 'earliest' | 'latest') =>
      Object.fromEntries(await admin.listOffsets(places.map((place) => ({ ...place, at }))))
    const groups = (await admin.listGroups()).map(({ groupId }) => groupId).toSorted()
    return {
      files: filesBelow(local.folder),
      starts: await offsetsOf('earliest'),
      ends: await offsetsOf('latest'),
      groups: await Promise.all(groups.map(async (group) => [group, await admin.groupOffsets(group)])),
    }
  }

  const refused = async (attempt: () => Promise<unknown>, code: string, message = /./): Promise<void> => {
    const before = await everything()
    await expect(attempt()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
    expect(await everything()).toEqual(before)
  }

  describe('by a reset', () => {
    it.each([
      ['', 'SETTINGS_INVALID', /must be a name/],
      ['.', 'SETTINGS_INVALID', /must be a name/],
      ['..', 'SETTINGS_INVALID', /must be a name/],
      ['../precious', 'SETTINGS_INVALID', /must be a name/],
      ['shop/process-0', 'SETTINGS_INVALID', /must be a name/],
      ['/etc', 'SETTINGS_INVALID', /must be a name/],
      [
        'src',
        'STATE_DIRECTORY_FOREIGN',
        /src is not the state of .* it holds app, process-0\/index.ts, which/,
      ],
      ['notes', 'STATE_DIRECTORY_FOREIGN', /it holds process-0\/0_0\/notes.txt, which Millrace/],
      ['dated', 'STATE_DIRECTORY_FOREIGN', /2024_01.csv, process-0\/2024_01.damaged.csv/],
      ['nested', 'STATE_DIRECTORY_FOREIGN', /it holds process-0\/0_0\/data.mdb/],
      ['file', 'STATE_DIRECTORY_FOREIGN', /it is not a directory/],
      ['linked', 'STATE_DIRECTORY_FOREIGN', /it is a symbolic link/],
      ['parts', 'STATE_DIRECTORY_FOREIGN', /it holds process-0, which/],
      ['task', 'STATE_DIRECTORY_FOREIGN', /it holds process-0\/0_0, which/],
      ['files', 'STATE_DIRECTORY_FOREIGN', /it holds process-0\/0_0\/data.mdb, which/],
      ['sho', 'APPLICATION_UNKNOWN', /no group, no internal topic and no state directory/],
    ])('of application %j', async (id, code, message) => {
      await refused(() => resetGroup(id, settings(), { execute: true }), code, message)
    })

    it('with the folder above as its state directory', async () => {
      const above = { ...settings(), stateDirectory: local.folder }
      await refused(
        () => resetGroup('states', above, { execute: true }),
        'STATE_DIRECTORY_FOREIGN',
        /states is not the state .*holds dated, file, files and \d+ more, which/,
      )
    })

    it('of a topology whose folder holds something else, before its group and topics are touched', async () => {
      await refused(
        () => reset(counting('shop'), { ...settings(), applicationId: 'notes' }, { execute: true }),
        'STATE_DIRECTORY_FOREIGN',
      )
    })

    it('while another process holds one of its slots', async () => {
      const lock = await lockDirectory(path('states', 'shop', 'process-0'))
      const attempt = resetGroup('shop', settings(), { execute: true })
      await expect(attempt).rejects.toMatchObject({ code: 'APPLICATION_RUNNING' })
      if (lock.kind === 'locked') lock.release()
      expect(existsSync(path('states', 'shop', 'process-0', '1_0', 'data.mdb'))).toBe(true)
    })

    it.each([
      ['inputTopics', 'TOPIC_NOT_INPUT', 'eu-orders'],
      ['internalTopics', 'TOPIC_NOT_INTERNAL', 'shop-eu-counts-changelog'],
      ['internalTopics', 'TOPIC_NOT_INTERNAL', 'orders'],
    ])('with %s (%s) of %s', async (option, code, name) => {
      const options = { [option]: [name], execute: true }
      await refused(() => resetGroup('shop', settings(), options), code)
    })
  })

  describe('by a replay', () => {
    const replayed = (replayId: string, program = counting('other'), more = {}): Promise<ReplayResult> =>
      replay(program, { ...settings(), ...more }, { replayId })

    it.each([
      ['', 'OPTIONS_INVALID', /replayId is the text ''/],
      ['.', 'REPLAY_ID_INVALID', /is no name/],
      ['..', 'REPLAY_ID_INVALID', /is no name/],
      ['../precious', 'REPLAY_ID_INVALID', /is no name/],
      ['other', 'REPLAY_ID_INVALID', /the application's own/],
      ['shop', 'REPLAY_ID_TAKEN', /its group has committed offsets/],
      ['reader', 'REPLAY_ID_TAKEN', /its group has committed offsets/],
      ['made', 'REPLAY_ID_TAKEN', /its internal topics exist: made-by-word-repartition/],
      ['eu', 'REPLAY_ID_TAKEN', /copies of outputs exist: eu-orders/],
      ['src', 'REPLAY_ID_TAKEN', /its state directory .*src exists/],
      ['file', 'REPLAY_ID_TAKEN', /its state directory .*file exists/],
      ['linked', 'REPLAY_ID_TAKEN', /its state directory .*linked exists/],
    ])('with the id %j', async (id, code, message) => {
      await refused(() => replayed(id), code, message)
    })

    it('whose internal topic is that of an application with a longer id', async () => {
      const message = /its internal topics exist: eu-shop-counts-changelog/
      await refused(() => replayed('eu', counting('other', 'shop-counts')), 'REPLAY_ID_TAKEN', message)
    })

    it('whose dead letters would go to a topic that exists', async () => {
      const program = topology('other', (builder) => builder.stream(words).forEach(() => undefined))
      const message = /copies of outputs exist: eu-dead/
      await refused(() => replayed('eu', program, { deadLetterTopic: 'dead' }), 'REPLAY_ID_TAKEN', message)
    })

    it('whose sink chooses topics, where one that it may choose has records', async () => {
      const program = topology('other', (builder) =>
        builder.stream(words).to({ name: () => 'orders', key: string, value: string }),
      )
      const message = /topics that it may choose have records: eu-orders/
      await refused(() => replayed('eu', program), 'REPLAY_ID_TAKEN', message)
    })

    it('that runs: it leaves its copies and nothing else', async () => {
      const before = await everything()
      const { complete, outputs } = await replayed('fresh', counting('other'), { deadLetterTopic: 'dead' })
      expect({ complete, outputs }).toMatchObject({
        complete: true,
        outputs: [
          { topic: 'fresh-orders', records: 2 },
          { topic: 'fresh-dead', records: 0 },
        ],
      })
      await refused(() => replayed('fresh'), 'REPLAY_ID_TAKEN', /copies of outputs exist: fresh-orders/)
      await local.client.admin.deleteTopics(['fresh-orders', 'fresh-dead'])
      expect(await everything()).toEqual(before)
    })

    it('that cannot start: it leaves nothing, and its id is free', async () => {
      const missing = topology('other', (builder) =>
        builder.stream(topic('missing', { value: long })).to(orders),
      )
      await refused(() => replayed('again', missing), 'TOPIC_MISSING', /reads topic 'missing'/)
    })

    it('that keeps its internals keeps its state, and its id is taken', async () => {
      await replay(counting('other'), settings(), { replayId: 'kept', keepInternals: true })
      expect(existsSync(path('states', 'kept', 'process-0'))).toBe(true)
      await local.client.admin.deleteGroup('kept')
      const internal = ['kept-by-word-repartition', 'kept-counts-changelog']
      await local.client.admin.deleteTopics([...internal, 'kept-orders'])
      await refused(() => replayed('kept'), 'REPLAY_ID_TAKEN', /its state directory .*kept exists/)
    })
  })

  describe('by the command line', () => {
    const millrace = async (...args: readonly string[]) => {
      const before = await everything()
      const { code, stderr } = await millraceHere([
        ...args,
        '--bootstrap-server',
        local.broker.bootstrapServers,
      ])
      expect(await everything()).toEqual(before)
      return { code, stderr }
    }

    it.each([
      [['topics', '--delete', '--topic', 'eu'], 1, /'eu' does not exist/],
      [['topics', '--delete', '--topic', 'eu-.*'], 2, /not a legal topic name/],
      [['topics', '--delete', '--topic', ''], 2, /not a legal topic name/],
      [['groups', '--delete', '--group', 'sho'], 1, /'sho' does not exist/],
      [['reset', '--application-id', '..', '--execute'], 2, /must be a name/],
      [['replay', 'topologies/hands-on.ts', '--from-beginning', '--replay-id', '..'], 2, /is no name/],
    ])('%j', async (args, code, message) => {
      expect(await millrace(...args)).toEqual({ code, stderr: expect.stringMatching(message) as string })
    })

    it('a reset in a directory of source code', async () => {
      const at = ['--state-directory', path('states'), '--application-id', 'src', '--execute']
      const { code, stderr } = await millrace('reset', ...at)
      expect(code).toBe(1)
      expect(stderr).toMatch(/src is not the state of an application 'src'/)
    })
  })

  describe('by the cleanup of state', () => {
    const strangers = (slot: string): void => {
      for (const name of ['2024_01', '2024_01.csv', '0_1.damaged.txt', 'notes.txt']) write(slot, name)
      write(slot, '0_1', 'data.mdb')
      write(slot, '0_1', 'notes.txt')
      write(slot, '0_1.outdated', 'notes.txt')
      write(slot, 'precious', 'data.mdb')
      symlinkSync(path(slot, 'precious'), path(slot, '0_2'))
      symlinkSync(path(slot, 'precious'), path(slot, '0_2.damaged'))
    }
    /** An hour after everything was written. */
    const later = { ...systemClock, now: () => systemClock.now() + 3_600_000 }

    it('of tasks that are not assigned, and of what was set aside', () => {
      const slot = join('tasks', 'process-0')
      strangers(slot)
      const before = filesBelow(path(slot))
      for (const task of ['0_0', '0_0.damaged', '0_0.outdated-2']) write(slot, task, 'data.mdb')
      const folders = diskTaskFolders(path(slot), later)
      for (const task of folders.tasks()) folders.delete(task)
      folders.deleteSetAside(later.now() - 1_000)
      expect(filesBelow(path(slot))).toEqual(before)
    })

    it('in slots that no process holds', async () => {
      strangers(join('slots', 'process-1'))
      strangers(join('slots', 'elsewhere'))
      write('slots', 'elsewhere', '0_0', 'data.mdb')
      symlinkSync(path('slots', 'elsewhere'), path('slots', 'process-2'))
      const before = filesBelow(path('slots'))
      for (const task of ['0_0', '0_0.damaged', '0_0.outdated-2'])
        write('slots', 'process-1', task, 'data.mdb')
      await new AbandonedSlots(path('slots', 'process-0'), later).deleteState(0)
      expect(filesBelow(path('slots'))).toEqual(before)
    })

    it('and by a lock, which deletes claims of ended processes and no other file', async () => {
      for (const name of ['new-notes.txt', 'lock-notes', 'new-lock-1']) {
        write('locked', name)
        utimesSync(path('locked', name), 0, 0)
      }
      const before = filesBelow(path('locked'))
      expect(await holderOfDirectory(path('locked'))).toBeUndefined()
      const lock = await lockDirectory(path('locked'))
      if (lock.kind === 'locked') lock.release()
      expect(filesBelow(path('locked'))).toEqual(before)
    })
  })

  it('by the purge of repartition topics, which takes no input for one', async () => {
    const input = topic('purging-mine-repartition', { key: string, value: string })
    await local.client.create(input)
    const program = topology('purging', (builder) => {
      builder
        .stream(input)
        .groupBy(({ value }) => value, { name: 'by-word' })
        .count({ store: 'counts' })
    })
    const application = await start(program, { ...settings(), repartitionPurgeIntervalMs: 1 })
    await application.waitFor('running')
    const startOf = async (name: string): Promise<number | undefined> => {
      const place = { topic: name, partition: 0, at: 'earliest' as const }
      return (await local.client.admin.listOffsets([place])).get(`${name}-0`)?.offset
    }
    await expect
      .poll(async () => {
        await local.client.write(input, [{ key: 'k', value: 'ada' }])
        return startOf('purging-by-word-repartition')
      })
      .toBeGreaterThan(0)
    expect(await startOf(input.name)).toBe(0)
    await application.close()
  })

  it('by a reset that is executed: the application loses its own, and its neighbours nothing', async () => {
    const { admin } = local.client
    const topics = await admin.listTopics()
    const neighbours = async () => ({
      shops: filesBelow(path('states', 'shop-eu')),
      offsets: await admin.groupOffsets('shop-eu'),
    })
    const before = await neighbours()
    const own = ['shop-by-word-repartition', 'shop-counts-changelog']
    expect(await resetGroup('shop', settings(), { execute: true })).toMatchObject({
      deletedTopics: own,
      deletedStateDirectory: path('states', 'shop'),
    })
    expect(await admin.listTopics()).toEqual(topics.filter((name) => !own.includes(name)))
    expect(existsSync(path('states', 'shop'))).toBe(false)
    expect(await neighbours()).toEqual(before)
  })
})

/** The paths below a folder, each with its content or where it leads to. */
const filesBelow = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((entry) => [join(entry.parentPath, entry.name), contentOf(entry)] as const)
      .toSorted(([left], [right]) => (left < right ? -1 : 1)),
  )

const contentOf = (entry: Dirent): string => {
  const path = join(entry.parentPath, entry.name)
  if (entry.isSymbolicLink()) return `-> ${readlinkSync(path)}`
  return entry.isFile() ? readFileSync(path, 'base64') : ''
}
