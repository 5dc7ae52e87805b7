import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { topicsOf } from '../app/programs/threaded.ts'
import { freePort } from '../support/free-port.ts'
import type { RunningProcess } from '../support/run-process.ts'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'
import { millraceHere as millrace } from '../support/run-command.ts'

const values = Array.from({ length: 12 }, (_, index) => `value-${index}`)

/** What the suites below do with processes; those that still run after a test are stopped. */
const stageOf = (brokers: () => string) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-query-'))
  const running: RunningProcess[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A module that exports the program of one test. */
  const programOf = (id: string): string => {
    const file = join(folder, `${id}.mjs`)
    const programs = new URL('../app/programs/threaded.ts', import.meta.url)
    writeFileSync(
      file,
      `import { countingOf } from ${JSON.stringify(programs.href)}\nexport const counting = countingOf('${id}')`,
    )
    return file
  }

  const run = async (
    file: string,
    name: string,
    more: readonly string[] = [],
  ): Promise<{ readonly process: RunningProcess; readonly server: string }> => {
    const server = `127.0.0.1:${await freePort()}`
    const process = runProcess(globalThis.process.execPath, [
      ...['bin/millrace.js', 'run', file, '--bootstrap-server', brokers()],
      ...['--application-server', server, '--state-directory', join(folder, name)],
      ...['--setting', 'heartbeatIntervalMs=200', '--setting', 'queryTimeoutMs=20000', ...more],
    ])
    running.push(process)
    await process.waitForLine(`serves queries on ${server}`, 30_000)
    await process.waitForLine(/: running$/, 30_000)
    return { process, server }
  }

  const written = async (id: string): Promise<void> => {
    await using client = new TopicClient(brokers())
    const { events, counts } = topicsOf(id)
    await client.create(events, counts)
    await client.write(
      events,
      [...values, ...values].map((value, index) => ({ key: `event-${index}`, value })),
    )
  }

  const countOf = async (server: string, key: string): Promise<unknown> => {
    const response = await fetch(`http://${server}/stores/events-by-value/value?key=${key}`)
    const { value } = (await response.json()) as { readonly value?: unknown }
    return response.ok ? value : response.status
  }

  /** Until everything has been counted, whoever is asked. */
  const allCounted = (server: string): Promise<void> =>
    expect
      .poll(() => Promise.all(values.map((value) => countOf(server, value))), {
        timeout: 30_000,
        interval: 200,
      })
      .toEqual(values.map(() => 2))

  const owners = async (server: string): Promise<readonly unknown[]> => {
    const response = await fetch(`http://${server}/stores/events-by-value`)
    const store = (await response.json()) as { readonly owners: readonly { readonly active?: string }[] }
    return store.owners.map(({ active }) => active)
  }

  const query = (server: string, ...args: readonly string[]): ReturnType<typeof millrace> =>
    millrace(['query', '--server', server, ...args])

  return { programOf, run, written, countOf, allCounted, owners, query }
}

/** Processes of one application that are asked from outside, as a user would run and ask them: on whatever broker. */
export const querySuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const { programOf, run, written, countOf, allCounted, owners, query } = stageOf(brokers)

  it('two processes answer for each other, and one alone while the other stops and after', async () => {
    const id = unique('two')
    await written(id)
    const file = programOf(id)
    const one = await run(file, `${id}-one`)
    const other = await run(file, `${id}-other`)
    for (const { server } of [one, other])
      await expect
        .poll(async () => new Set(await owners(server)), { timeout: 30_000, interval: 200 })
        .toEqual(new Set([one.server, other.server]))
    await allCounted(one.server)
    await allCounted(other.server)

    other.process.kill('SIGTERM')
    const exit = other.process.waitForExit(30_000)
    let isOver = false
    void exit.then(() => (isOver = true))
    do for (const value of values) expect(await countOf(one.server, value)).toBe(2)
    while (!isOver)
    expect((await exit).code).toBe(0)
    expect(await owners(one.server)).toEqual(Array.from({ length: 4 }, () => one.server))
    await allCounted(one.server)
  })

  describe('millrace query', () => {
    it('prints values, listings, owners and stores, each row a line of JSON', async () => {
      const id = unique('one')
      await written(id)
      const { server } = await run(programOf(id), id, ['--threads', '2'])
      await allCounted(server)
      const store = ['--store', 'events-by-value'] as const

      const value = await query(server, ...store, '--key', 'value-3')
      expect(value).toMatchObject({ code: 0, stderr: '' })
      expect(JSON.parse(value.stdout)).toMatchObject({ key: 'value-3', value: 2 })

      const range = await query(server, ...store, '--from', 'value-3', '--to', 'value-5')
      const keys = range.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { key: string }).key)
      expect(keys.toSorted()).toEqual(['value-3', 'value-4', 'value-5'])
      const three = await query(server, ...store, '--limit', '3')
      expect(three.stdout.trim().split('\n')).toHaveLength(3)

      const owner = await query(server, ...store, '--key', 'value-3', '--owner')
      expect(JSON.parse(owner.stdout)).toMatchObject({ active: server, isHere: true })
      const stores = await query(server)
      expect(JSON.parse(stores.stdout)).toMatchObject({
        name: 'events-by-value',
        kind: 'table',
        partitions: 4,
      })

      const missing = await query(server, ...store, '--key', 'nobody')
      expect(missing).toMatchObject({ code: 1, stdout: '' })
      expect(missing.stderr).toMatch(
        /^millrace: store 'events-by-value' holds nothing for the key 'nobody'.*\n$/,
      )
      const misspelt = await query(server, '--store', 'events-by-values')
      expect(misspelt).toMatchObject({ code: 1, stdout: '' })
      expect(misspelt.stderr).toContain("did you mean 'events-by-value'?")
      const useless = await query(server, ...store, '--from-ms', '5')
      expect(useless).toMatchObject({ code: 2, stdout: '' })
      expect(useless.stderr).toContain("'fromMs' says nothing")
    })

    it('says where nobody answers', async () => {
      const server = `127.0.0.1:${await freePort()}`
      const nobody = await query(server)
      expect(nobody).toMatchObject({ code: 1, stdout: '' })
      expect(nobody.stderr).toMatch(
        new RegExp(`^millrace: no process serves queries on ${server}.*--application-server`),
      )
    })
  })
}

/** A process that is killed; takes as long as the group needs to notice. */
export const killedSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const { programOf, run, written, countOf, allCounted, owners } = stageOf(brokers)

  it('when a process is killed, a copy answers at once, and the other process in the end', async () => {
    const id = unique('killed')
    await written(id)
    const file = programOf(id)
    const patient = ['--setting', 'sessionTimeoutMs=6000', '--setting', 'standbyReplicas=1']
    const one = await run(file, `${id}-one`, patient)
    const other = await run(file, `${id}-other`, patient)
    for (const { server } of [one, other])
      await expect
        .poll(async () => new Set(await owners(server)), { timeout: 30_000, interval: 200 })
        .toEqual(new Set([one.server, other.server]))
    await allCounted(one.server)
    const asked = (value: string, more: string): Promise<unknown> => countOf(one.server, `${value}&${more}`)
    // The copies have what they copy.
    const lags = async (): Promise<readonly number[]> => {
      const response = await fetch(`http://${one.server}/health/ready`)
      const health = (await response.json()) as {
        readonly standbyTasks: readonly { readonly lag: number }[]
      }
      return health.standbyTasks.map(({ lag }) => lag)
    }
    await expect.poll(lags, { timeout: 30_000, interval: 200 }).toEqual([0, 0])
    other.process.kill('SIGKILL')
    await other.process.waitForExit()
    await expect
      .poll(() => Promise.all(values.map((value) => asked(value, 'standby=true'))), { timeout: 4_000 })
      .toEqual(values.map(() => 2))
    const refused = await Promise.all(values.map((value) => asked(value, 'timeoutMs=0')))
    expect(refused).toContain(503)
    for (const value of values) expect(await asked(value, 'timeoutMs=30000')).toBe(2)
    expect(await owners(one.server)).toEqual(Array.from({ length: 4 }, () => one.server))
  })
}
