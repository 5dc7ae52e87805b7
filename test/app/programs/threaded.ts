import { existsSync, writeFileSync } from 'node:fs'
import type { Topology } from 'millrace'
import { long, string, topic, topology } from 'millrace'

/** Topics that no other test has. */
export const topicsOf = (id: string) => ({
  events: topic(`events-${id}`, { value: string, partitions: 4 }),
  counts: topic(`counts-${id}`, { value: long, partitions: 2 }),
})

/** Counts by value over a repartition topic; what it reads may be the end of the thread that reads it. */
export const countingOf = (id: string): Topology => {
  const { events, counts } = topicsOf(id)
  return topology(`counting-${id}`, (builder) => {
    builder
      .stream(events)
      .peek(({ value }) => act(value))
      .groupBy(({ value }) => value, { name: 'by-value' })
      .count({ store: 'events-by-value' })
      .toStream()
      .to(counts)
  })
}

/** Does what an event says: `throw`, `exit` or `hang`; with a file behind it, only until that exists. */
const act = (value: string): void => {
  const [deed, file] = value.split(':')
  if (file !== undefined && existsSync(file)) return
  if (file !== undefined) writeFileSync(file, '')
  if (deed === 'throw') throw new Error('this event throws')
  if (deed === 'exit') process.exit(7)
  if (deed === 'hang') for (;;);
}
