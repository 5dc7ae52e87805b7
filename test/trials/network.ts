import { networkFaults } from './network/network-faults.ts'
import { networkTrial } from './network/network-trial.ts'
import type { Trial } from './trial.ts'

/** Each fault of the network under both guarantees. */
export const trials: readonly Trial[] = networkFaults.flatMap((fault) =>
  (['exactly_once', 'at_least_once'] as const).map((guarantee) => networkTrial(fault, guarantee)),
)
