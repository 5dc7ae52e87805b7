import { TopicClient } from '../../support/topic-client.ts'
import { Random } from './random.ts'
import { events } from './topology.ts'

/**
 * Writes events at a steady rate until it is stopped, and knows what it has written: `words[n]` is the word of event
 * `e<n>`. What the broker has not acknowledged while it is away is written when it is back, once and in order.
 */
const tickMs = 20
export const wordCount = 50

export class LoadWriter {
  readonly words: string[] = []
  readonly #client: TopicClient
  readonly #random: Random
  readonly #ratePerSecond: number
  #isStopped = false
  #running: Promise<void> | undefined

  constructor(
    brokers: string,
    { seed, ratePerSecond }: { readonly seed: number; readonly ratePerSecond: number },
  ) {
    this.#client = new TopicClient(brokers)
    this.#random = new Random(seed)
    this.#ratePerSecond = ratePerSecond
  }

  start(): void {
    this.#running ??= this.#run()
    this.#running.catch(() => undefined)
  }

  /** Resolves when everything that was written is acknowledged; rejects with what kept the writer from it. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
    await this.#client[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    const perTick = Math.ceil((this.#ratePerSecond * tickMs) / 1_000)
    while (!this.#isStopped) {
      const next = new Promise((resolve) => setTimeout(resolve, tickMs))
      await this.#write(perTick)
      await next
    }
  }

  async #write(count: number): Promise<void> {
    const nowMs = Date.now()
    const batch = Array.from({ length: count }, () => {
      const word = `w${this.#random.between(0, wordCount - 1)}`
      this.words.push(word)
      return { key: `e${this.words.length - 1}`, value: `${word} ${nowMs}` }
    })
    await this.#client.write(events, batch)
  }
}
