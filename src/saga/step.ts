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
  readonly topic: SourceTopic
  readonly classify: (value: unknown) => ReplyOutcome
}

interface CommandOptions<Start, V> {
  readonly to: Topic<string, V>
  /** Builds the command; a pure function, as it is called again for every attempt. */
  readonly value: (data: SagaData<Start>) => NoInfer<V>
}

export interface RetryOptions {
  /** How often the command goes out at most. */
  readonly attempts: number
  /** The pause before the second attempt, which doubles with each one after it. Defaults to none. */
  readonly backoff?: number
}

interface ReplyWait {
  /** How long a reply may take; then the command goes out again, or its outcome is in doubt. */
  readonly timeout?: number
  readonly retry?: RetryOptions
}

export interface StepOptions<Start, C, U> extends ReplyWait {
  readonly kind?: StepKind
  readonly command: CommandOptions<Start, C>
  /** The replies by name; each topic answers one command of the saga only. */
  readonly replies: Readonly<Record<string, Reply>>
  /** The command that takes the step back; timeout and retry default to the step's own. */
  readonly undo?: UndoOptions<Start, U>
}

type UndoOptions<Start, U> = CommandOptions<Start, U> & {
  readonly replies: Readonly<Record<string, Reply>>
} & ReplyWait

export const replyWaitOptions: OptionShape<ReplyWait> = {
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
  readonly kind: StepKind
  readonly command: Exchange
  readonly undo: Exchange | undefined
}

export interface Step extends UnnamedStep {
  readonly name: string
}

/** Makes the steps of a saga that starts with a `Start`. */
export type StepMaker<Start> = <C, U = never>(options: StepOptions<Start, C, U>) => UnnamedStep

/** Every reply on this topic means success. */
export const succeeds = <V>(topic: Topic<string, V>): Reply => reply('succeeds', topic, () => 'success')

/** Every reply on this topic means that the other service said no. */
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
  <Start>(defaults: ReplyWait): StepMaker<Start> =>
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
  { timeout, retry }: ReplyWait,
  mustSucceed: boolean,
): Exchange => ({
  topic: to,
  value,
  replies,
  timeoutMs: timeout,
  attempts: retry?.attempts ?? (mustSucceed ? 5 : 1),
  backoffMs: retry?.backoff ?? 0,
})
