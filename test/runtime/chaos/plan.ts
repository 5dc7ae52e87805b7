import { Random } from './random.ts'

/** What is done to a group and its broker while it works. */
export type Disturbance =
  /** SIGKILL, and a new process in the same place after a while. */
  | { readonly kind: 'kill'; readonly downMs: number }
  /** SIGTERM: closes in good order, and comes back. */
  | { readonly kind: 'leave'; readonly downMs: number }
  /** SIGSTOP, and SIGCONT after a while. */
  | { readonly kind: 'stop'; readonly forMs: number }
  | { readonly kind: 'killBroker'; readonly downMs: number }
  | { readonly kind: 'restartBroker' }

export interface PlanSize {
  readonly kills: number
  readonly leaves: number
  /** How long processes are stopped, one stop each. */
  readonly stopsMs: readonly number[]
  readonly brokerKills: number
  readonly brokerRestarts: number
}

export interface PlannedDisturbance {
  readonly disturbance: Disturbance
  /** The place in the group that it hits, if that one is up; else the next. */
  readonly place: number
  /** How long after the one before. */
  readonly afterMs: number
}

/** The same plan for the same seed. */
export const planOf = (
  seed: number,
  places: number,
  { kills, leaves, stopsMs, brokerKills, brokerRestarts }: PlanSize,
  longestPauseMs = 5_000,
): readonly PlannedDisturbance[] => {
  const random = new Random(seed)
  const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  const disturbances = random.shuffled<Disturbance>([
    ...times(kills, () => ({ kind: 'kill' as const, downMs: random.between(0, 2_000) })),
    ...times(leaves, () => ({ kind: 'leave' as const, downMs: random.between(0, 3_000) })),
    ...stopsMs.map((forMs) => ({ kind: 'stop' as const, forMs })),
    ...times(brokerKills, () => ({ kind: 'killBroker' as const, downMs: random.between(0, 3_000) })),
    ...times(brokerRestarts, () => ({ kind: 'restartBroker' as const })),
  ])
  return disturbances.map((disturbance) => ({
    disturbance,
    place: random.between(0, places - 1),
    afterMs: random.between(300, longestPauseMs),
  }))
}
