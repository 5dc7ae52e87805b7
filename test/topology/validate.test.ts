import { describe, expect, it } from 'vitest'
import { testDriver } from '../../src/testing/test-driver.ts'
import type { Topology } from '../../src/index.ts'
import { string, topic, topology } from '../../src/index.ts'
import type { TopologyNode } from '../../src/topology/node.ts'
import { validateTogether } from '../../src/topology/validate-together.ts'
import { validateTopology } from '../../src/topology/validate.ts'

const orders = topic('orders', { value: string })
const paid = topic('paid', { value: string })
const failed = topic('failed', { value: string })

const sound = topology('sound', (builder) => {
  const table = builder.table(orders, { store: 'orders' })
  builder
    .stream(paid)
    .join(table, (one, two) => one + two)
    .to(failed)
})

const changed = (change: (node: TopologyNode) => Partial<TopologyNode>): Topology => ({
  ...sound,
  nodes: sound.nodes.map((node) => ({ ...node, ...change(node) }) as TopologyNode),
})
const codesOf = (said: Topology): readonly string[] => validateTopology(said).map(({ code }) => code)

describe('a topology', () => {
  it('that is sound has no problems', () => {
    expect(validateTopology(sound)).toEqual([])
  })

  it('tells an unknown parent, and one that comes later', () => {
    const unknown = changed(({ kind }) => (kind === 'sink' ? { from: ['nobody'] } : {}))
    expect(validateTopology(unknown)[0]).toMatchObject({
      severity: 'error',
      code: 'PARENT_UNKNOWN',
      message: expect.stringContaining("'nobody', which is not there"),
      remedy: 'say every node after its parents',
    })
    const backwards = { ...sound, nodes: sound.nodes.toReversed() }
    expect(validateTopology(backwards)[0]?.message).toContain('which comes after it')
  })

  it('tells a join with one parent, and a source that follows something', () => {
    expect(
      codesOf(changed(({ kind, from }) => (kind === 'streamTableJoin' ? { from: from.slice(1) } : {}))),
    ).toEqual(['PARENT_COUNT'])
    const follows = changed(({ kind }) =>
      kind === 'source' ? { from: [sound.nodes[0]?.name as string] } : {},
    )
    expect(codesOf(follows)).toEqual(['PARENT_COUNT'])
  })

  it('tells a missing store, and warns of one that nobody uses', () => {
    const [store] = sound.stores
    const renamed = { ...sound, stores: [{ ...store, name: 'other' } as NonNullable<typeof store>] }
    expect(
      validateTopology(renamed).map(({ code, severity, store: name }) => [severity, code, name]),
    ).toEqual([
      ['error', 'STORE_MISSING', 'orders'],
      ['warning', 'STORE_UNUSED', 'other'],
    ])
  })

  it('warns where it reads what it writes', () => {
    const loop = topology('loop', (builder) => builder.stream(orders).to(orders, { name: 'back' }))
    expect(validateTopology(loop)).toMatchObject([{ severity: 'warning', code: 'TOPIC_LOOP', node: 'back' }])
  })

  it('reports a pattern that matches the whole name of a topic it writes', () => {
    const matching = (pattern: RegExp): Topology =>
      topology('looping', (builder) =>
        builder.streamMatching(pattern, { key: string, value: string }, { name: 'all' }).to(paid),
      )
    expect(validateTopology(matching(/pa.*/))).toMatchObject([
      { severity: 'error', code: 'PATTERN_MATCHES_SINK', node: 'all' },
    ])
    expect(validateTopology(matching(/pa/))).toEqual([])
    expect(() => testDriver(matching(/pa.*/))).toThrow(/matches|match/)
  })

  it('refuses a record that chooses a topic which a pattern of its topology reads', () => {
    const choosing = topology('choosing', (builder) =>
      builder
        .streamMatching(/events\..*/, { key: string, value: string })
        .to({ name: ({ value }) => value, key: string, value: string }),
    )
    const driver = testDriver(choosing, { policies: { productionFailure: 'skip' } })
    const events = topic('events.a', { value: string })
    driver.input(events).pipe('k', 'events.all')
    driver.input(events).pipe('k', 'elsewhere')
    expect(driver.dropped()).toEqual({ failed: 1 })
    expect(driver.output(topic('elsewhere', { value: string })).readAll()).toHaveLength(1)
    expect(driver.output(topic('events.all', { value: string })).readAll()).toEqual([])
  })

  it('may not be said with errors, which are told all at once', () => {
    const build = (): Topology =>
      topology('wrong', (builder) => {
        const stream = builder.stream(orders).peek(() => undefined, { name: 'twice' })
        stream
          .peek(() => undefined, { name: 'twice' })
          .to(topic('wrong-twice-repartition', { value: string }))
        builder.table(orders, { store: 'state' })
        builder.table(paid, { store: 'state' })
        stream.repartition({ name: 'twice' }).toTable({ store: 'no name for a topic' })
      })
    expect(build).toThrow(
      expect.objectContaining({
        code: 'TOPOLOGY_INVALID',
        message: expect.stringMatching(
          /5 faults.*two nodes.*two stores.*changelog can't be called.*both read the topic 'orders'.*keeps for itself/s,
        ),
      }),
    )
  })

  it.each([
    ['a b', /repartition topic cannot be called/],
    ['ü', /repartition topic cannot be called/],
    ['n'.repeat(240), /repartition topic cannot be called/],
  ])('refuses a repartition topic that no broker creates: %s', (name, message) => {
    const build = (): Topology =>
      topology('named', (builder) => {
        const stream = builder.stream(orders)
        stream.groupBy(({ value }) => value, { name }).count({ store: 'counts', changelog: false })
        stream.repartition({ name: `${name} ` }).to(paid)
      })
    expect(build).toThrow(message)
  })

  it.each(['..', 'a/b', 'n'.repeat(250)])('refuses a store without changelog called %s', (store) => {
    const build = (): Topology =>
      topology('named', (builder) => void builder.globalTable(orders, { store, storage: 'memory' }))
    expect(build).toThrow(/store cannot be called/)
  })

  it.each([
    ['table', 'globalTable'],
    ['globalTable', 'globalTable'],
    ['stream', 'globalTable'],
    ['table', 'table'],
    ['stream', 'table'],
  ] as const)('refuses one topic as %s and as %s', (first, second) => {
    const build = (): Topology =>
      topology('twice', (builder) => {
        for (const [index, verb] of [first, second].entries())
          if (verb === 'stream') builder.stream(orders).to(paid)
          else builder[verb](orders, { store: `rows-${index}` })
      })
    expect(build).toThrow(/both read the topic 'orders'/)
  })

  it('tells a join of topics whose contracts say differing partitions, unless a repartition makes them fit', () => {
    const narrow = topic('narrow', { value: string, partitions: 2 })
    const wide = topic('wide', { value: string, partitions: 4 })
    const joined = (rekeyed: boolean): Topology =>
      topology('joined', (builder) => {
        const table = builder.table(narrow, { store: 'narrow' })
        const stream = builder.stream(wide)
        const left = rekeyed ? stream.selectKey(({ value }) => value) : stream
        left.join(table, (one, two) => one + two, { name: 'joined' }).to(paid)
      })
    expect(() => joined(false)).toThrow(
      "'joined' joins topics of differing partitions: wide has 4, narrow has 2",
    )
    expect(validateTopology(joined(true))).toEqual([])
  })

  it('may ask for a topic again in the same way, and goes on from the one source', () => {
    const again = topology('again', (builder) => {
      builder.stream(orders).to(paid)
      builder.stream(orders).to(failed)
    })
    expect(again.nodes.filter(({ kind }) => kind === 'source')).toHaveLength(1)
    const other = (): Topology =>
      topology('other', (builder) => {
        builder.stream(orders)
        builder.stream(orders, { offsetReset: 'latest' })
      })
    expect(other).toThrow("both read the topic 'orders'")
  })
})

describe('topologies that run together', () => {
  const inventory = topology('inventory', (builder) => builder.stream(orders).to(paid))
  const payment = topology('payment', (builder) => builder.stream(paid).to(failed))
  const restock = topology('restock', (builder) => builder.stream(failed).to(orders))

  it('may not share a name', () => {
    expect(validateTogether([inventory, payment, inventory])).toMatchObject([
      { code: 'APPLICATION_NAME_TAKEN' },
    ])
  })

  it('are told of events that go in a circle, once', () => {
    expect(validateTogether([inventory, payment])).toEqual([])
    expect(validateTogether([inventory, payment, restock])).toMatchObject([
      {
        severity: 'warning',
        code: 'TOPIC_CIRCLE',
        message: 'events go in a circle: inventory → paid → payment → failed → restock → orders → inventory',
      },
    ])
  })

  it('may converse with a saga, which ends every conversation by itself', () => {
    const saga = topology('saga', (builder) => {
      builder
        .stream(failed)
        .process(() => ({ process: () => undefined }), { name: 'saga' })
        .to(paid)
    })
    const replies = topology('replies', (builder) => builder.stream(paid).to(failed))
    expect(validateTogether([saga, replies])).toHaveLength(1)
    const nodes = saga.nodes.map((node) =>
      node.kind === 'process' ? { ...node, verb: 'saga' as const } : node,
    )
    expect(validateTogether([{ ...saga, nodes }, replies])).toEqual([])
  })
})
