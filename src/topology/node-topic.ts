import type { AnySerde, Serializer } from '../topic/serde.ts'

/** A topic that a node reads, whatever it carries. */
export interface SourceTopic {
  readonly name: string
  readonly key: AnySerde
  readonly value: AnySerde
  readonly owner: string | undefined
  readonly partitions: number | undefined
}

/** A topic that a node writes, whatever it carries. */
export interface AnySinkTopic {
  readonly name: string
  readonly key: Serializer<never>
  readonly value: Serializer<never>
}
