import type { ProcessorContext, Supplier, TaskContext, VersionedStore } from 'millrace'
import type { Datum } from './functions.ts'
import { show } from './functions.ts'
import type { FunctionCall } from './scenario.ts'

/**
 * The processors and value transformers that scenarios name. A processor forwards each record unchanged unless its
 * program replaces it; what a program schedules is forwarded under a key of its own.
 */
export type ProcessorProgram = Supplier<Datum, Datum, Datum, Datum>
export type TransformerProgram = (context: TaskContext) => (value: Datum, key: Datum) => Datum

type Context = ProcessorContext<Datum, Datum>
type Schedule = { readonly intervalMs: number; readonly type: 'streamTime' | 'wallClock' }

const forwarding = (context: Context): ReturnType<ProcessorProgram> => ({
  process: (record) => context.forward({ key: record.key, value: record.value }),
})

const processors: Readonly<Record<string, (call: FunctionCall) => ProcessorProgram>> = {
  forward: () => forwarding,
  'bad-time': () => (context) => ({
    process: ({ key, value }) => context.forward({ key, value, timestamp: -1 }),
  }),
  /** Every punctuator reports the time of its call, stream time and the clock. */
  ticks: (call) => (context) => {
    for (const [index, { intervalMs, type }] of (call['schedules'] as readonly Schedule[]).entries())
      context.schedule(intervalMs, type, (timestamp) =>
        context.forward({
          key: `tick${index}`,
          value: `${timestamp}/${context.currentStreamTimeMs()}/${context.currentSystemTimeMs()}`,
          timestamp,
        }),
      )
    return forwarding(context)
  },
  /** The outer punctuator schedules an inner one each time it runs, or with `once` only the first time. */
  nested: (call) => (context) => {
    const type = call['type'] as Schedule['type']
    const forward = (key: string, timestamp: number): void =>
      context.forward({ key, value: String(timestamp), timestamp })
    let isScheduled = false
    context.schedule(Number(call['intervalMs']), type, (outerTime) => {
      forward('outer', outerTime)
      if (isScheduled) return
      isScheduled = call['once'] === true
      context.schedule(Number(call['innerMs']), type, (innerTime) => forward('inner', innerTime))
    })
    return forwarding(context)
  },
  /** The result of a put into a versioned store, the latest version, and the version `backMs` before the record. */
  versions: (call) => (context) => {
    const store = context.store<VersionedStore<Datum, Datum>>(String(call['store']))
    const row = (found: ReturnType<typeof store.get>): string =>
      found === null ? 'none' : `${show(found.value)}@${found.timestamp}`
    return {
      process: ({ key, value, timestamp }) => {
        const put = store.put(key, value, timestamp)
        const before = store.get(key, timestamp - Number(call['backMs'] ?? 0))
        context.forward({ key, value: `${put}|${row(store.get(key))}|${row(before)}` })
      },
    }
  },
}

const transformers: Readonly<Record<string, (call: FunctionCall) => TransformerProgram>> = {
  'none-for-null': () => () => (value) => value ?? 'none',
  same: () => () => (value) => value,
  'show-pair': () => () => (value, key) => `${show(key)}=${show(value)}`,
}

const lookUp =
  <P>(what: string, programs: Readonly<Record<string, (call: FunctionCall) => P>>) =>
  (call: FunctionCall): P => {
    const make = Object.hasOwn(programs, call?.fn) ? programs[call.fn] : undefined
    if (make === undefined)
      throw new Error(`unknown ${what} '${call?.fn}': there are ${Object.keys(programs).join(', ')}`)
    return make(call)
  }

export const processorProgram: (call: FunctionCall) => ProcessorProgram = lookUp('processor', processors)
export const transformerProgram: (call: FunctionCall) => TransformerProgram = lookUp(
  'transformer',
  transformers,
)
