import type { Topology } from 'millrace'
import { topology } from 'millrace'
import { releaseStock, reserveStock, stockRefused, stockReleased, stockReserved } from './contracts.ts'
import { keepShelves, toReserve, toRestore } from './keep-shelves.ts'

/**
 * Stock, by command: reserves and releases goods and replies. A command that comes twice is done once and answered
 * twice, as the first reply may have been lost.
 *
 * Run it with `millrace run topologies/stock-service.ts`.
 */
export const stockService: Topology = topology(
  'stock-service',
  (builder) => {
    const reservations = builder.stream(reserveStock).mapValues(toReserve)
    const releases = builder.stream(releaseStock).mapValues(toRestore)
    keepShelves(builder, 'south', reservations.merge(releases)).split(
      {
        reserved: ({ value }) => value.kind === 'reserved',
        refused: ({ value }) => value.kind === 'refused',
        restored: ({ value }) => value.kind === 'restored',
      },
      ({ reserved, refused, restored }) => {
        reserved.mapValues(({ order, left }) => ({ ...order, left })).to(stockReserved)
        refused.mapValues(({ order, reason }) => ({ ...order, reason })).to(stockRefused)
        restored.mapValues(({ order, left }) => ({ ...order, left })).to(stockReleased)
      },
    )
  },
  { owner: 'stock' },
)
