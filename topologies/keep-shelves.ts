import * as z from 'zod'
import type { KeyValueRecord, KeyValueStore, Stream, Supplier, TopologyBuilder } from 'millrace'
import { keyValueStore } from 'millrace'
import { Hold, receive, reserve, restore, untouched } from './business/shelf.ts'
import { recordId } from './business/once.ts'
import type { Order, Warehouse } from './contracts.ts'
import { orderOf, stockLevel, stockReceived } from './contracts.ts'

/**
 * The shelves of one warehouse: orders take and give back by event (inventory.ts) or by command
 * (stock-service.ts). Everything about one product goes to one partition, so that two orders never take the same last
 * piece.
 */
const ShelfMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('receive'), product: z.string(), quantity: z.int() }),
  z.object({ kind: z.enum(['reserve', 'restore']), order: z.custom<Order>() }),
])
export type ShelfMessage = z.output<typeof ShelfMessage>

/** What the shelves answer, under the order's id. */
export interface ShelfAnswer {
  readonly kind: 'reserved' | 'refused' | 'restored'
  readonly order: Order
  readonly left: number
  readonly reason: string
  /** True where this was answered before, to another record. */
  readonly repeated: boolean
}

/** A reservation of an order's goods, as a message to the shelves. */
export const toReserve = (value: Order): ShelfMessage => ({ kind: 'reserve', order: orderOf(value) })
/** A return of an order's goods. */
export const toRestore = (value: Order): ShelfMessage => ({ kind: 'restore', order: orderOf(value) })

interface Level {
  readonly kind: 'level'
  readonly product: string
  readonly onHand: number
}
type Narration = KeyValueRecord<string, ShelfAnswer | Level>
const isLevel = (record: Narration): record is KeyValueRecord<string, Level> => record.value.kind === 'level'
const isAnswer = (record: Narration): record is KeyValueRecord<string, ShelfAnswer> => !isLevel(record)

/** Keeps the shelves of a warehouse and answers, order by order, what is asked of them. */
export const keepShelves = (
  builder: TopologyBuilder,
  warehouse: Warehouse,
  asked: Stream<string, ShelfMessage>,
): Stream<string, ShelfAnswer> => {
  builder.store(keyValueStore('on-hand', { value: z.int() }))
  builder.store(keyValueStore('holds', { value: Hold }))
  const served = builder
    .stream(stockReceived)
    .filter(({ value }) => value.warehouse === warehouse)
    .mapValues(({ product, quantity }): ShelfMessage => ({ kind: 'receive', product, quantity }))
    .merge(asked)
    .selectKey(({ value }) => (value.kind === 'receive' ? value.product : value.order.product))
    .repartition({ name: 'by-product', value: ShelfMessage })
    .process<string, ShelfAnswer | Level>(shelves, { name: 'shelves', stores: ['on-hand', 'holds'] })
  const { levels, answers } = served.split({ levels: isLevel, answers: isAnswer })
  levels
    .mapValues(({ product, onHand }) => ({ version: 1 as const, product, onHand, warehouse }))
    .to(stockLevel)
  return answers
}

const shelves: Supplier<string, ShelfMessage, string, ShelfAnswer | Level> = (context) => {
  const onHand = context.store<KeyValueStore<string, number>>('on-hand')
  const holds = context.store<KeyValueStore<string, Hold>>('holds')
  return {
    process: ({ key: product, value: message, timestamp, origin }) => {
      if (message.kind === 'receive') {
        const level = receive(onHand.get(product), message.quantity)
        onHand.put(product, level, timestamp)
        context.forward({ key: product, value: { kind: 'level', product, onHand: level } })
        return
      }
      const { order } = message
      const shelf = { onHand: onHand.get(product), hold: holds.get(order.orderId) ?? untouched }
      const by = recordId(origin)
      const served = message.kind === 'reserve' ? reserve(shelf, order.quantity, by) : restore(shelf, by)
      if (served.onHand !== shelf.onHand) onHand.put(product, served.onHand, timestamp)
      if (served.hold !== shelf.hold) holds.put(order.orderId, served.hold, timestamp)
      context.forward({ key: order.orderId, value: answerOf(order, served) })
    },
  }
}

const answerOf = (
  order: Order,
  { answer, repeated }: ReturnType<typeof reserve> | ReturnType<typeof restore>,
): ShelfAnswer => {
  if (!('granted' in answer)) return { kind: 'restored', order, left: answer.left, reason: '', repeated }
  const kind = answer.granted ? 'reserved' : 'refused'
  return { kind, order, left: answer.left, reason: answer.reason, repeated }
}
