import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { Application, SettingsInput, Topology } from '../../../src/index.ts'
import { isFault, long, start, topic, topology } from '../../../src/index.ts'
import { freePort } from '../../support/free-port.ts'
import { TopicClient } from '../../support/topic-client.ts'

const customers = Array.from({ length: 40 }, (_, index) => `customer-${index}`)

/** What the members of one application owe whoever asks any of them: on whatever broker. */
export const membersSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-members-'))
  const running: Application[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((application) => application.close()))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const scene = async (): Promise<{ readonly program: Topology; readonly client: TopicClient }> => {
    const orders = topic(unique('orders'), { value: long })
    const program = topology(unique('asked'), (builder) => {
      builder
        .stream(orders)
        .groupByKey()
        .reduce((sum, amount) => sum + amount, { store: 'sums' })
    })
    const client = new TopicClient(brokers())
    await client.create({ name: orders.name, partitions: 6 })
    await client.write(
      orders,
      customers.map((key, index) => ({ key, value: index })),
    )
    return { program, client }
  }

  const member = async (program: Topology, settings: Partial<SettingsInput> = {}): Promise<Application> => {
    const application = await start(program, {
      bootstrapServers: brokers(),
      stateDirectory: join(folder, unique('state')),
      applicationServer: '127.0.0.1:0',
      heartbeatIntervalMs: 100,
      sessionTimeoutMs: 6_000,
      queryTimeoutMs: 15_000,
      ...settings,
    })
    running.push(application)
    await application.waitFor('running')
    return application
  }

  const sumsOf = (application: Application) => application.queries.tableStore<string, number>('sums')

  /** Each has half of the tasks, and knows of the other. */
  const shared = async (members: readonly Application[]): Promise<void> => {
    await expect
      .poll(() => members.map(({ tasks }) => tasks.length))
      .toEqual(members.map(() => 6 / members.length))
    await expect
      .poll(
        () =>
          members.map((each) => {
            const owners = each.queries.metadataForStore('sums').map(({ active }) => active)
            return new Set(owners).size
          }),
        { timeout: 20_000 },
      )
      .toEqual(members.map(() => members.length))
  }

  const pairOf = async (program: Topology): Promise<readonly [Application, Application]> => {
    const members = [await member(program), await member(program)] as const
    await shared(members)
    return members
  }

  /** All customers, from whoever has them; asked again until all has been processed. */
  const allCounted = async (application: Application): Promise<void> => {
    const wanted = new Map(customers.map((key, index) => [key, index]))
    await expect
      .poll(
        async () => {
          const read = new Map<string, number>()
          for await (const [key, { value }] of sumsOf(application).all()) read.set(key, value)
          return read
        },
        { timeout: 20_000 },
      )
      .toEqual(wanted)
  }

  it('any member answers for any key, and lists all rows', async () => {
    const { program, client } = await scene()
    await using _client = client
    const members = await pairOf(program)
    for (const each of members) {
      await allCounted(each)
      for (const [index, customer] of customers.entries())
        expect((await sumsOf(each).get(customer))?.value).toBe(index)
      expect(await sumsOf(each).get('nobody')).toBeNull()
      const hasty = each.queries.tableStore<string, number>('sums', { timeoutMs: 0 })
      for (const [index, customer] of customers.entries())
        expect((await hasty.get(customer))?.value).toBe(index)
    }
  })

  it('a key is where the metadata says, and nowhere else', async () => {
    const { program, client } = await scene()
    await using _client = client
    const members = await pairOf(program)
    await allCounted(members[0])
    for (const customer of customers) {
      const told = members.map((each) => each.queries.metadataForKey('sums', customer))
      expect(told[0]?.active).toBe(told[1]?.active)
      expect(told[0]?.partition).toBe(told[1]?.partition)
      for (const each of members) {
        const local = each.queries.tableStore<string, number>('sums', { scope: 'local' })
        const { active, isHere, partition } = each.queries.metadataForKey('sums', customer)
        expect(isHere).toBe(active === each.queries.address)
        if (isHere) expect((await local.get(customer))?.value).toBe(customers.indexOf(customer))
        else
          await expect(local.get(customer)).rejects.toThrow(
            expect.objectContaining({
              code: 'STORE_NOT_HERE',
              remedy: `ask ${active}`,
              place: { store: 'sums', partition },
            }),
          )
      }
    }
  })

  it('a member that is asked for what it does not have refuses, so that no request goes in circles', async () => {
    const { program, client } = await scene()
    await using _client = client
    const members = await pairOf(program)
    const [one] = members
    const elsewhere = one.queries.metadataForStore('sums').find(({ isHere }) => !isHere)
    const response = await fetch(`http://${one.queries.address}/internal/pages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        store: 'sums',
        partition: elsewhere?.partition,
        query: { kind: 'range' },
        limit: 10,
        isolation: 'read_uncommitted',
      }),
    })
    expect(response.status).toBe(421)
    expect(await response.json()).toMatchObject({
      code: 'STORE_NOT_HERE',
      remedy: `ask ${elsewhere?.active}`,
    })
  })

  it('asked while the other one stops, a member answers for every key in the end', async () => {
    const { program, client } = await scene()
    await using _client = client
    const members = await pairOf(program)
    const [stays, goes] = members
    await allCounted(stays)
    let isOver = false
    const closing = goes.close().then(() => (isOver = true))
    let rounds = 0
    do {
      for (const [index, customer] of customers.entries())
        expect((await sumsOf(stays).get(customer))?.value).toBe(index)
      rounds++
    } while (!isOver)
    await closing
    await allCounted(stays)
    expect(stays.queries.metadataForStore('sums').every(({ isHere }) => isHere)).toBe(true)
    expect(rounds).toBeGreaterThan(0)
  })

  it('a copy answers for a member that does not, where that is allowed', async () => {
    const { program, client } = await scene()
    await using _client = client
    const copied = { standbyReplicas: 1, queryTimeoutMs: 1_000 }
    const asked = await member(program, copied)
    // The group is told an address at which nobody listens.
    const deaf = `127.0.0.1:${await freePort()}`
    const other = await member(program, { ...copied, applicationServer: deaf, queryListen: '127.0.0.1:0' })
    await shared([asked, other])
    await expect.poll(() => asked.health.standbyTasks.map(({ lag }) => lag)).toEqual([0, 0, 0])
    const elsewhere = customers.filter((customer) => !asked.queries.metadataForKey('sums', customer).isHere)
    expect(elsewhere.length).toBeGreaterThan(0)
    const [one] = elsewhere as [string]
    expect(asked.queries.metadataForKey('sums', one)).toMatchObject({
      active: deaf,
      standbys: [asked.queries.address],
    })
    await expect(sumsOf(asked).get(one)).rejects.toThrow(
      expect.objectContaining({ code: 'OWNER_UNREACHABLE' }),
    )
    const copies = asked.queries.tableStore<string, number>('sums', { standby: true })
    await expect
      .poll(() => Promise.all(elsewhere.map(async (each) => (await copies.get(each))?.value)), {
        timeout: 20_000,
      })
      .toEqual(elsewhere.map((each) => customers.indexOf(each)))
    const response = await fetch(`http://${asked.queries.address}/stores/sums/value?key=${one}&standby=true`)
    expect(await response.json()).toMatchObject({ key: one, value: customers.indexOf(one) })
  })

  it('without an address to ask, what another member has can’t be read, and that is what is said', async () => {
    const { program, client } = await scene()
    await using _client = client
    const silent = { applicationServer: undefined, queryTimeoutMs: 200 }
    const members = [await member(program, silent), await member(program, silent)] as const
    await expect.poll(() => members.map(({ tasks }) => tasks.length)).toEqual([3, 3])
    const answers = await Promise.allSettled(customers.map((customer) => sumsOf(members[0]).get(customer)))
    const refused = answers
      .filter((each) => each.status === 'rejected')
      .map(({ reason }) => reason as unknown)
    expect(refused.length).toBeGreaterThan(0)
    for (const fault of refused)
      expect(isFault(fault, 'STORE_NOT_READY') && fault.remedy).toContain('applicationServer')
  })
}
