import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import { topic, bytes } from 'millrace'
import { testDriver } from 'millrace/testing'
import { choreography, hybrid, orchestration } from '../../topologies/all.ts'
import { orderProcessor } from '../../topologies/hands-on.ts'
import type { Sample } from '../../topologies/sample-orders.ts'
import {
  choreographedOrders,
  deliveries,
  expected,
  handsOnOrders,
  orchestratedOrders,
} from '../../topologies/sample-orders.ts'
import type { StoryLine, StoryRecord } from '../../topologies/story.ts'
import { inStoryOrder, lineOf, story } from '../../topologies/story.ts'
import { storyteller } from '../../topologies/storyteller.ts'
import { addToSummary, emptySummary, summaryRows } from '../../topologies/summary.ts'

const runTheDay = (samples: readonly Sample[]): readonly StoryRecord[] => {
  const heard: StoryRecord[] = []
  const services = [...choreography, ...orchestration, ...hybrid]
  const driver = testDriver([...services, storyteller((record) => heard.push(record))], {
    policies: { deserializationFailure: 'deadLetter' },
  })
  for (const { topic: name, key, value } of samples)
    driver.input(topic(name, { value: bytes })).pipeBytes(utf8Encode(key), utf8Encode(value))
  return heard
}
const wholeDay = [...deliveries, ...choreographedOrders, ...orchestratedOrders]
const linesOf = (heard: readonly StoryRecord[]): StoryLine[] =>
  heard.map((record) => lineOf(record)).filter((line) => line !== undefined)
const tell = (heard: readonly StoryRecord[], order: string): string[] =>
  inStoryOrder(linesOf(heard))
    .filter((line) => line.order === order)
    .map(({ service, direction, text }) => `${service} ${direction}: ${text}`)

describe('a day in the shop', () => {
  it('adds up for both flows: what came in is completed, compensated, rejected, a duplicate or a dead letter', () => {
    const rows = summaryRows(runTheDay(wholeDay).reduce(addToSummary, emptySummary))
    expect(rows).toEqual([
      { flow: 'choreography', ...expected, open: 0, addsUp: true },
      { flow: 'orchestration', ...expected, open: 0, addsUp: true },
    ])
  })

  it('does not add up while an order is under way', () => {
    const [choreographed] = summaryRows(
      runTheDay(wholeDay)
        .filter((record) => record.topic !== 'order-shipped')
        .reduce(addToSummary, emptySummary),
    )
    expect(choreographed).toMatchObject({ completed: 0, open: expected.completed, addsUp: false })
  })

  it('comes out the same in whatever order the topics are read', () => {
    const heard = runTheDay(wholeDay)
    expect(summaryRows(heard.toReversed().reduce(addToSummary, emptySummary))).toEqual(
      summaryRows(heard.reduce(addToSummary, emptySummary)),
    )
  })

  it('tells a choreographed order whose payment fails', () => {
    expect(tell(runTheDay([...deliveries, ...choreographedOrders]), 'order-104')).toEqual([
      'order event: Edsger orders 1 x desk for 250.00',
      'inventory event: 1 x desk set aside, 5 left',
      'payment event: payment failed: card declined',
      'inventory event: 1 x desk given back, 6 left',
    ])
  })

  it('tells an orchestrated order whose payment is refused', () => {
    expect(tell(runTheDay([...deliveries, ...orchestratedOrders]), 'order-204')).toEqual([
      'order event: Edsger orders 1 x desk for 250.00',
      'stock command: reserve 1 x desk',
      'stock reply: reserved, 5 left',
      'payment command: charge 250.00',
      'payment reply: refused: card declined',
      'stock command: release 1 x desk',
      'stock reply: released, 6 left',
      'order-fulfilment event: COMPENSATED: card declined',
      'notifications event: Edsger is notified: we could not fulfil your order: card declined',
    ])
  })

  it('puts lines that were heard in any order into that of their causes, order by order', () => {
    const lines = linesOf(runTheDay([...deliveries, ...orchestratedOrders]))
    const told = inStoryOrder(lines.toReversed())
    const topics = told.filter(({ order }) => order === 'order-201').map(({ topic: name }) => name)
    expect(topics.indexOf('reserve-stock')).toBeLessThan(topics.indexOf('stock-reserved'))
    expect(topics.indexOf('process-payment')).toBeLessThan(topics.indexOf('start-delivery'))
    expect(topics.at(-2)).toBe('order-fulfilled')
    expect(told[0]?.order).toBe(lines.at(-1)?.order)
  })

  it('tells an order that nobody can read as it stands, and once that services have given it up', () => {
    expect(tell(runTheDay(wholeDay), 'order-106')).toEqual([
      'order event: unreadable: {"orderId": "order-10',
      'dead-letters event: kept from order-placed: the value is not JSON',
    ])
  })

  it('counts the goods of each warehouse to the flow that it serves', () => {
    const goods = linesOf(runTheDay(deliveries)).filter(({ topic: name }) => name === 'stock-level')
    expect(goods.map(({ flow, text }) => `${flow}: ${text}`)).toEqual([
      'choreography: 20 on the shelf in the north warehouse',
      'choreography: 12 on the shelf in the north warehouse',
      'choreography: 6 on the shelf in the north warehouse',
      'orchestration: 20 on the shelf in the south warehouse',
      'orchestration: 12 on the shelf in the south warehouse',
      'orchestration: 6 on the shelf in the south warehouse',
    ])
  })

  it('every topic of the story has an owner, and no topic is told twice', () => {
    expect(story.filter(({ service, topic: name }) => service === name)).toEqual([])
    expect(new Set(story.map(({ topic: name }) => name)).size).toBe(story.length)
  })

  it('a record of a topic outside the story is no line', () => {
    expect(lineOf({ topic: 'other', key: null, value: null, headers: [] })).toBeUndefined()
  })

  it('the hands-on orders are read by the exercise', () => {
    const driver = testDriver(orderProcessor)
    for (const { topic: name, key, value } of handsOnOrders)
      driver.input(topic(name, { value: bytes })).pipeBytes(utf8Encode(key), utf8Encode(value))
    expect(driver.dropped()).toEqual({})
  })
})
