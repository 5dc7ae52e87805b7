import type { Topology } from 'millrace'
import { bytes, nullable, topic, topology } from 'millrace'
import { deadLetterTopic } from './contracts.ts'
import type { StoryRecord } from './story.ts'
import { story } from './story.ts'

/**
 * Listens to every topic of the story and the dead letter topic: one more consumer, for which no service had to change.
 * What is heard is handed to `listen` at once; printing and counting are its matter.
 */
export const storyteller = (listen: (record: StoryRecord) => void): Topology =>
  topology(
    'storyteller',
    (builder) => {
      const contract = { key: nullable(bytes), value: nullable(bytes) }
      const first = topic(deadLetterTopic, contract)
      builder
        .stream([first, ...story.map((chapter) => topic(chapter.topic, contract))])
        .forEach(({ key, value, headers, origin }) =>
          listen({ topic: origin?.topic ?? '', key, value, headers }),
        )
    },
    { owner: 'storyteller' },
  )
