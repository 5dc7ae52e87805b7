import type { OptionShape, ValueKind } from '../base/options.ts'
import { checkArgument, checkOptions } from '../base/options.ts'
import { anyObject, checkedByReader, nested, oneOf, required, synchronous } from '../base/value-kinds.ts'
import type { Topic } from '../topic/topic.ts'
import { topicContract } from '../topic/value-kinds.ts'
import type { AnySinkTopic, SourceTopic } from '../topology/node-topic.ts'

/**
 * What a saga is made of: steps, each a command to another service, the replies it may get, and how it is undone.
 *
 * - `compensable`: can be undone, so it says how. The default.
 * - `pivot`: the point of no return. Before it everything can be undone, after it everything must succeed.
 * - `retriable`: comes after the point of no return, and is sent again until it succeeds.
 */
export type StepKind = 'compensable' | 'pivot' | 'retriable'
export type Direction = 'do' | 'undo'

/** What a reply means: `refusal` is the other service's own decision, not a broken line. */
export type ReplyOutcome = 'success' | 'refusal'

/** What commands and outcomes are built from: the saga's start and the replies so far. */
export interface SagaData<out Start> {
  readonly sagaId: string
  readonly start: Start
  /** The latest reply read from a topic; undefined where none has come. */
  readonly reply: <V>(topic: Topic<string, V>) => V | undefined
}

/** A reply a step may get, and what it means. */
export interface Reply {
  /** @internal */
  readonly topic: SourceTopic
  /** @internal */
  readonly classify: (value: unknown) => ReplyOutcome
}

/** A command of a step: the topic that it is written to, and its value. */
export interface CommandOptions<Start, V> {
  readonly to: Topic<string, V>
  /** Builds the command; a pure function, as it is called again for every attempt. */
  readonly value: (data: SagaData<Start>) => NoInfer<V>
}

/** How often a command is sent, and how long a saga waits before it sends it again, in milliseconds. */
export interface RetryOptions {
  /** How often the command goes out at most. */
  readonly attempts: number
  /** The pause before the second attempt, which doubles with each one after it. Defaults to none. */
  readonly backoff?: number
}

/** How long a saga waits for a reply, in milliseconds, and how often it sends the command again. */
export interface ReplyOptions {
  /** How long a reply may take; then the command goes out again, or its outcome is in doubt. */
  readonly timeout?: number
  readonly retry?: RetryOptions
}

/** Options of a step: its command, the replies to it, and how it is undone. */
export interface StepOptions<Start, C, U> extends ReplyOptions {
  readonly kind?: StepKind
  readonly command: CommandOptions<Start, C>
  /** The replies by name; each topic answers one command of the saga only. */
  readonly replies: Readonly<Record<string, Reply>>
  /** The command that takes the step back; timeout and retry default to the step's own. */
  readonly undo?: UndoOptions<Start, U>
}

/** How a step is undone: a command and the replies to it. */
export type UndoOptions<Start, U> = CommandOptions<Start, U> & {
  readonly replies: Readonly<Record<string, Reply>>
} & ReplyOptions

export const replyWaitOptions: OptionShape<ReplyOptions> = {
  // The saga checks the numbers of all steps together.
  timeout: checkedByReader,
  retry: nested<RetryOptions>({ attempts: required(checkedByReader), backoff: checkedByReader }),
}

const commandOptions: OptionShape<CommandOptions<never, never>> = {
  to: required(topicContract),
  value: required(synchronous),
}

const replyKind: ValueKind = {
  needs: 'replies by name',
  example: '{ reserved: succeeds(stockReserved) }',
  accepts: (value) => anyObject.accepts(value) && Object.values(value as object).every(isReply),
}

const isReply = (value: unknown): boolean =>
  topicContract.accepts((value as Partial<Reply> | null | undefined)?.topic)

const stepOptions: OptionShape<StepOptions<never, never, never>> = {
  ...replyWaitOptions,
  kind: oneOf('compensable', 'pivot', 'retriable'),
  command: required(nested<CommandOptions<never, never>>(commandOptions)),
  replies: required(replyKind),
  undo: nested<UndoOptions<never, never>>({
    ...commandOptions,
    ...replyWaitOptions,
    replies: required(replyKind),
  }),
}

/** A command and everything about waiting for its reply, as data. */
export interface Exchange {
  readonly topic: AnySinkTopic
  readonly value: (data: SagaData<never>) => unknown
  readonly replies: Readonly<Record<string, Reply>>
  readonly timeoutMs: number | undefined
  readonly attempts: number
  readonly backoffMs: number
}

/** A step as data, before the saga gives it its name. */
export interface UnnamedStep {
  /** @internal */
  readonly kind: StepKind
  /** @internal */
  readonly command: Exchange
  /** @internal */
  readonly undo: Exchange | undefined
}

export interface Step extends UnnamedStep {
  readonly name: string
}

/** Makes the steps of a saga that starts with a `Start`. */
export type StepMaker<Start> = <C, U = never>(options: StepOptions<Start, C, U>) => UnnamedStep

/**
 * Every reply on this topic means success.
 *
 * @example
 * replies: { started: succeeds(deliveryStarted) }
 */
export const succeeds = <V>(topic: Topic<string, V>): Reply => reply('succeeds', topic, () => 'success')

/**
 * Every reply on this topic means that the other service said no.
 *
 * @example
 * replies: { refused: refuses(stockRefused) }
 */
export const refuses = <V>(topic: Topic<string, V>): Reply => reply('refuses', topic, () => 'refusal')

/**
 * Replies of both kinds on one topic, classified by their values.
 *
 * @example
 * replies: { answered: classifies(paymentAnswered, ({ paid }) => (paid ? 'success' : 'refusal')) }
 */
export const classifies = <V>(topic: Topic<string, V>, classify: (reply: V) => ReplyOutcome): Reply => {
  checkArgument('classifies', classify, synchronous)
  return reply('classifies', topic, classify as Reply['classify'])
}

const reply = (
  maker: string,
  topic: SourceTopic | Topic<string, never>,
  classify: Reply['classify'],
): Reply => {
  checkArgument(maker, topic, topicContract)
  return { topic, classify }
}

/** @internal */
export const stepWith =
  <Start>(defaults: ReplyOptions): StepMaker<Start> =>
  (options) => {
    checkOptions('step', options, stepOptions)
    const { kind = 'compensable', command, replies, undo, ...own } = options
    const wait = { ...defaults, ...own }
    return {
      kind,
      command: exchange(command, replies, wait, kind === 'retriable'),
      undo: undo === undefined ? undefined : exchange(undo, undo.replies, { ...wait, ...undo }, true),
    }
  }

/** True of what a step maker returns. */
export const isStep = (value: unknown): value is UnnamedStep =>
  topicContract.accepts((value as Partial<UnnamedStep> | null | undefined)?.command?.topic)

/** What must succeed in the end is tried more often than what may be given up. */
const exchange = <Start, V>(
  { to, value }: CommandOptions<Start, V>,
  replies: Readonly<Record<string, Reply>>,
  { timeout, retry }: ReplyOptions,
  mustSucceed: boolean,
): Exchange => ({
  topic: to,
  value,
  replies,
  timeoutMs: timeout,
  attempts: retry?.attempts ?? (mustSucceed ? 5 : 1),
  backoffMs: retry?.backoff ?? 0,
})
