/**
 * A fault says what happened, where, and who must act: every error that Millrace raises on purpose is one.
 *
 * - `author`: the topology, saga or settings are wrong; mend the code before it runs.
 * - `record`: one record is bad; its failure policy (fail, skip, dead letter) decides.
 * - `retry`: the world was busy; trying again is right and the runtime does so by itself.
 * - `runtime`: the task or process cannot go on; restart it or change its surroundings.
 */
export type FaultActor = 'author' | 'record' | 'retry' | 'runtime'

/** Where a fault happened; every part that is known is given. */
export interface FaultPlace {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly offset?: number | bigint | undefined
  readonly node?: string | undefined
  readonly store?: string | undefined
  readonly key?: string | undefined
}

export interface FaultDetails {
  /** Stable, machine-readable: `UPPER_SNAKE_CASE`. */
  readonly code: string
  readonly actor: FaultActor
  /** What happened, in a sentence without a final stop. */
  readonly message: string
  /** The way out, in a sentence without a final stop. */
  readonly remedy?: string | undefined
  readonly place?: FaultPlace | undefined
  readonly cause?: unknown
}

/**
 * An error with a stable code, the place it happened at and the way out.
 *
 * @example
 * throw new Fault({ code: 'TOPIC_MISSING', actor: 'author', message: 'topic orders does not exist',
 *   remedy: 'create it with: millrace topics --create --topic orders', place: { topic: 'orders' } })
 */
export class Fault extends Error {
  readonly code: string
  readonly actor: FaultActor
  readonly place: FaultPlace
  readonly remedy: string | undefined
  /** What happened, without place and remedy. */
  readonly summary: string

  constructor(details: FaultDetails) {
    super(describe(details), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Fault'
    this.code = details.code
    this.actor = details.actor
    this.place = details.place ?? {}
    this.remedy = details.remedy
    this.summary = details.message
  }
}

/** True where `error` is a fault, of the given code if one is named. */
export const isFault = (error: unknown, code?: string): error is Fault =>
  error instanceof Fault && (code === undefined || error.code === code)

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const describe = ({ message, place, remedy }: FaultDetails): string => {
  const where = Object.entries(place ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
  return `${message}${where === '' ? '' : ` (${where})`}${remedy === undefined ? '' : `; ${remedy}`}`
}
