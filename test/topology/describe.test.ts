import { describe, expect, it } from 'vitest'
import { long, string, topic, topology } from '../../src/index.ts'
import { describeTopology } from '../../src/topology/describe.ts'
import { dotOf } from '../../src/topology/dot.ts'
import { mermaidOf } from '../../src/topology/mermaid.ts'

const orders = topic('orders', { value: string })
const customers = topic('customers', { value: string })
const counts = topic('counts', { value: long })

const shop = topology('shop', (builder) => {
  builder.globalTable(customers, { store: 'customers' })
  builder
    .stream(orders)
    .filter(({ value }) => value !== '', { name: 'with "text"' })
    .groupBy(({ value }) => value, { name: 'by-value' })
    .count({ store: 'counts', name: 'count' })
    .toStream()
    .to(counts)
})
const audit = topology('audit', (builder) => builder.stream(counts).forEach(() => undefined))

describe('a description', () => {
  it('is laid out as Kafka Streams lays it out, a repartition being a sink above and a source below', () => {
    expect(describeTopology(shop)).toBe(`Topologies:
   Sub-topology: 0
    Source: stream-0001 (topics: [orders])
      --> with "text"
    Processor: with "text" (stores: [])
      --> selectKey-0003
      <-- stream-0001
    Processor: selectKey-0003 (stores: [])
      --> by-value-repartition-sink
      <-- with "text"
    Sink: by-value-repartition-sink (topic: by-value-repartition)
      <-- selectKey-0003

  Sub-topology: 1
    Source: by-value-repartition-source (topics: [by-value-repartition])
      --> count
    Processor: count (stores: [counts])
      --> toStream-0006
      <-- by-value-repartition-source
    Processor: toStream-0006 (stores: [])
      --> to-0007
      <-- count
    Sink: to-0007 (topic: counts)
      <-- toStream-0006

  Sub-topology: 2 for global store (will not generate tasks)
    Source: globalTable-0000 (topics: [customers])
      --> globalTable-0000-update
    Processor: globalTable-0000-update (stores: [customers])
      --> none
      <-- globalTable-0000
`)
  })

  it('shows a table source, a dynamic sink, a pattern, and a source nobody follows', () => {
    const text = describeTopology(
      topology('odd', (builder) => {
        builder.table(customers, { store: 'customers' })
        builder
          .streamMatching(/orders-.*/, orders)
          .to({ name: ({ value }) => value, key: string, value: string }, { name: 'chosen' })
      }),
    )
    expect(text).toContain('Source: table-0000 (topics: [customers], stores: [customers])\n      --> none\n')
    expect(text).toMatch(/Source: stream-0001 \(topics: \/.*orders-\.\*.*\/\)\n/)
    expect(text).toContain('Sink: chosen (topic: by record)\n')
  })
})

describe('a picture', () => {
  it('as Mermaid shows topics between the topologies, so that what one writes the other is seen to read', () => {
    const lines = mermaidOf([shop, audit]).split('\n')
    expect(lines[0]).toBe('flowchart LR')
    expect(lines).toContain('      t0n2["filter: with #quot;text#quot;"]')
    expect(lines).toContain('      t0s1[("counts")]')
    const shared = lines
      .find((line) => line.includes('label: "counts"'))
      ?.trim()
      .split('@')[0]
    expect(lines).toContain(`  t0n7 --> ${shared}`)
    expect(lines).toContain(`  ${shared} --> t1n0`)
    expect(lines.filter((line) => line.includes('subgraph'))).toHaveLength(6)
    expect(lines.filter((line) => line.trim() === 'end')).toHaveLength(6)
  })

  it('as DOT has the same boxes and arrows', () => {
    const mermaid = mermaidOf(shop)
    const dot = dotOf(shop)
    expect(dot).toContain('t0n2 [label="filter: with \\"text\\""]')
    const arrows = (text: string, arrow: string): number => text.split(arrow).length - 1
    expect(arrows(dot, ' -> ')).toBe(arrows(mermaid, ' --> ') + arrows(mermaid, ' -.- '))
    expect(dot.split('{').length).toBe(dot.split('}').length)
  })

  it('gives every arrow two boxes that are there', () => {
    const lines = mermaidOf([shop, audit]).split('\n')
    const boxes = new Set(lines.map((line) => /^ +(\w+)(@\{|\[)/.exec(line)?.[1]))
    for (const [, from, to] of lines.map((line) => /^ +(\w+) (?:-->|-\.-) (\w+)$/.exec(line) ?? []))
      for (const end of [from, to]) if (end !== undefined) expect(boxes).toContain(end)
  })
})
