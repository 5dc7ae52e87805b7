import { long, string, topic, topology } from 'millrace'

/** Counts by key over a repartition topic: what the chaos test runs in processes that it kills. */
export const events = topic('chaos-events', { value: string, partitions: 4 })
export const counts = topic('chaos-counts', { value: long, partitions: 2 })

export const counting = topology('chaos-counting', (builder) => {
  builder
    .stream(events)
    .groupBy(({ value }) => value, { name: 'by-value' })
    .count({ store: 'events-by-value' })
    .toStream()
    .to(counts)
})
