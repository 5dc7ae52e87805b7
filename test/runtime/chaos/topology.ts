import { string, topic, topology } from 'millrace'

/**
 * What the chaos runs run. Each event is copied (a stateless task for each partition of the events) and counted by its
 * word over a repartition topic (a stateful task for each partition of the counts). What comes out says who made it, so
 * that a reader can tell when a task moved, and the broker says when it was appended.
 */
const partitions = 4

/** Key `e17`; value `<word> <when it was written, ms>`. */
export const events = topic('chaos-events', { value: string, partitions })
/** The event and the process: `<word> <ms> <pid>`, in the partition of the event. */
export const copies = topic('chaos-copies', { value: string, partitions })
/** By word, `<count> <pid>`. */
export const counts = topic('chaos-counts', { value: string, partitions })

export const chaosTopology = topology('chaos', (builder) => {
  const all = builder.stream(events)
  all.mapValues((value) => `${value} ${process.pid}`).to(copies)
  all
    .groupBy(({ value }) => wordOf(value), { name: 'by-word' })
    .count({ store: 'events-by-word' })
    .toStream()
    .mapValues((count) => `${count} ${process.pid}`)
    .to(counts)
})

const wordOf = (value: string): string => value.slice(0, value.indexOf(' '))
