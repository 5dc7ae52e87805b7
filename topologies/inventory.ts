import type { Topology } from 'millrace'
import { topology } from 'millrace'
import {
  inventoryRestored,
  inventoryUpdated,
  orderPlaced,
  orderRejected,
  paymentFailed,
} from './contracts.ts'
import { keepShelves, toReserve, toRestore } from './keep-shelves.ts'

/**
 * Inventory, choreographed: an order that was placed takes its goods off the shelf, and a payment that failed puts them
 * back. Every order gets an answer: one for an unknown product is rejected, never dropped.
 *
 * Run it with `millrace run topologies/inventory.ts`.
 */
export const inventory: Topology = topology(
  'inventory',
  (builder) => {
    const wishes = builder.stream(orderPlaced).mapValues(toReserve)
    const returns = builder.stream(paymentFailed).mapValues(toRestore)
    keepShelves(builder, 'north', wishes.merge(returns))
      .filterNot(({ value }) => value.repeated)
      .split(
        {
          reserved: ({ value }) => value.kind === 'reserved',
          refused: ({ value }) => value.kind === 'refused',
          restored: ({ value }) => value.kind === 'restored',
        },
        ({ reserved, refused, restored }) => {
          reserved.mapValues(({ order, left }) => ({ ...order, left })).to(inventoryUpdated)
          refused.mapValues(({ order, reason }) => ({ ...order, reason })).to(orderRejected)
          restored.mapValues(({ order, left }) => ({ ...order, left })).to(inventoryRestored)
        },
      )
  },
  { owner: 'inventory' },
)
