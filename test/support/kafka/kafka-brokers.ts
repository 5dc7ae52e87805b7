import { inject } from 'vitest'

/**
 * The bootstrap servers of the Kafka that this run of the tests shares. Topics, groups and transactional ids need
 * names of their own: `uniqueName` makes them.
 */
export const kafkaBrokers = (): string => inject('kafkaBrokers')

/** `prefix` with a random end, for what outlives a test on a shared broker. */
export const uniqueName = (prefix: string): string => `${prefix}-${crypto.randomUUID().slice(0, 13)}`
