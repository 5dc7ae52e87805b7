import { Refusal } from '../protocol/errors.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { splitList, TOPIC_CONFIGS } from './topic-configs.ts'

/** A topic: its lasting id, its partitions' logs, and the configs that were set on it. */
export class Topic {
  readonly name: string
  readonly id: string
  readonly partitions: PartitionLog[]
  readonly configs: Map<string, string>

  constructor(name: string, id: string, partitions: PartitionLog[], configs: Map<string, string>) {
    this.name = name
    this.id = id
    this.partitions = partitions
    this.configs = configs
  }

  config(name: string): string {
    return this.configs.get(name) ?? TOPIC_CONFIGS.get(name)?.defaultValue ?? ''
  }

  numberConfig(name: string): number {
    return Number(this.config(name))
  }

  hasCleanupPolicy(policy: 'compact' | 'delete'): boolean {
    return splitList(this.config('cleanup.policy')).includes(policy)
  }
}

/** All topics, found by name and by id. */
export class Topics {
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()

  get all(): IterableIterator<Topic> {
    return this.#byName.values()
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  partition(name: string, partition: number): PartitionLog | undefined {
    return this.#byName.get(name)?.partitions[partition]
  }

  add(topic: Topic): void {
    this.#byName.set(topic.name, topic)
    this.#byId.set(topic.id, topic)
  }

  remove(topic: Topic): void {
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.id)
  }

  /** Throws the refusal that Kafka gives to a name it would not create. */
  checkNewName(name: string): void {
    checkTopicName(name)
    if (this.#byName.has(name)) throw new Refusal('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    const collides = name.replaceAll('.', '_')
    for (const existing of this.#byName.keys()) {
      if (existing.replaceAll('.', '_') === collides)
        throw new Refusal(
          'INVALID_TOPIC_EXCEPTION',
          `Topic '${name}' collides with existing topic: ${existing}`,
        )
    }
  }
}

const LONGEST_NAME = 249

/** Throws INVALID_TOPIC_EXCEPTION for a name that no topic may have. */
export const checkTopicName = (name: string): void => {
  const problem =
    name === ''
      ? 'the empty string is not allowed'
      : name === '.' || name === '..'
        ? "'.' or '..' is not allowed"
        : name.length > LONGEST_NAME
          ? `the length is longer than the max allowed length ${LONGEST_NAME}`
          : /^[a-zA-Z0-9._-]+$/.test(name)
            ? undefined
            : "it contains a character other than ASCII alphanumerics, '.', '_' and '-'"
  if (problem !== undefined)
    throw new Refusal('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem} (${name})`)
}
