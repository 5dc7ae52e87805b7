import { Command, Option } from 'commander'
import { Fault, messageOf } from '../base/fault.ts'
import { wholeNumber } from './options.ts'
import { usage } from './usage.ts'

interface QueryCommandOptions {
  readonly server: string
  readonly store?: string
  readonly key?: string
  readonly from?: string
  readonly to?: string
  readonly prefix?: string
  readonly fromMs?: number
  readonly toMs?: number
  readonly asOfMs?: number
  readonly partition?: number
  readonly isolation?: string
  readonly standby?: boolean
  readonly limit?: number
  readonly reverse?: boolean
  readonly owner?: boolean
}

/** `millrace query`: asks a running application for what its stores hold; each row is a line of JSON. */
export const queryCommand = (): Command =>
  new Command('query')
    .description('read the state stores of a running application')
    .requiredOption('--server <host:port>', 'any process of the application that serves queries')
    .option('--store <name>', 'the store; without it the stores are listed')
    .option('--key <key>', 'the value of this key, or its windows, sessions or versions')
    .option('--from <key>', 'the smallest key of a range')
    .option('--to <key>', 'the largest key of a range')
    .option('--prefix <text>', 'only keys that begin with this')
    .option(
      '--from-ms <time>',
      'the earliest window, session or version, in milliseconds since the epoch',
      whole,
    )
    .option('--to-ms <time>', 'the latest window, session or version', whole)
    .option('--as-of-ms <time>', 'the version of a key that held at this time', whole)
    .option('--partition <number>', 'the only partition to ask', wholeNumber(0))
    .addOption(
      new Option('--isolation <level>', 'what is seen; as the application is set unless given').choices([
        'read_committed',
        'read_uncommitted',
      ]),
    )
    .option(
      '--standby',
      'let a copy answer, which may be behind, where the process that has the key does not',
    )
    .option('--limit <rows>', 'stop after so many rows', wholeNumber(1))
    .option('--reverse', 'from the largest key down')
    .option('--owner', 'who has the key, instead of its value')
    .addHelpText('after', exitCodes)
    .action(async (options: QueryCommandOptions) => {
      if (options.store === undefined && options.key !== undefined) throw usage('--key needs --store')
      if (options.store === undefined) return listStores(options)
      if (options.key === undefined && options.owner === true) throw usage('--owner needs a --key')
      if (options.owner === true) return print(await ask(options, 'owner', { key: options.key }))
      const { kind } = (await ask(options, '')) as { readonly kind: string }
      if (isAskedByKey(kind, options)) return printValue(options)
      if (options.asOfMs !== undefined)
        throw usage(`--as-of-ms says nothing in this query of a ${kind} store`)
      return printEntries(options)
    })

const whole = wholeNumber(Number.MIN_SAFE_INTEGER)

const exitCodes = `
Exit codes: 0 where something was found or a range was read, 1 where the key is not there or nobody answers, 2 where the
call is wrong.`

/** Windows and sessions of a key are a list; versions are one where a span of times is asked for. */
const isAskedByKey = (kind: string, { key, ...others }: QueryCommandOptions): boolean => {
  const ranges = [others.from, others.to, others.prefix, others.fromMs, others.toMs]
  if (key === undefined || ranges.some((each) => each !== undefined)) return false
  return kind === 'table' || kind === 'keyValue' || kind === 'versioned'
}

const listStores = async (options: QueryCommandOptions): Promise<void> => {
  const { stores } = (await ask(options, undefined)) as { readonly stores: readonly unknown[] }
  for (const store of stores) print(store)
}

const printValue = async (options: QueryCommandOptions): Promise<void> => {
  const { key, asOfMs, partition, isolation, standby } = options
  print(await ask(options, 'value', { key, asOfMs, partition, isolation, standby }))
}

const printEntries = async (options: QueryCommandOptions): Promise<void> => {
  const { key, from, to, prefix, fromMs, toMs, partition, isolation, standby, reverse } = options
  const parameters = { key, from, to, prefix, fromMs, toMs, partition, isolation, standby, reverse }
  let left = options.limit ?? Infinity
  let after: string | undefined
  do {
    const page = (await ask(options, 'entries', {
      ...parameters,
      limit: Math.min(left, pageRows),
      after,
    })) as {
      readonly rows: readonly unknown[]
      readonly after?: string
    }
    for (const row of page.rows) print(row)
    left -= page.rows.length
    after = page.after
  } while (after !== undefined && left > 0)
}

const pageRows = 1_000

const print = (value: unknown): void => console.log(JSON.stringify(value))

/** Asks one of the routes of a store, or for the list of stores. */
const ask = async (
  { server, store }: QueryCommandOptions,
  route: string | undefined,
  parameters: Readonly<Record<string, string | number | boolean | undefined>> = {},
): Promise<unknown> => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) search.set(name, String(value))
  const path = store === undefined ? '' : `/${encodeURIComponent(store)}${route === '' ? '' : `/${route}`}`
  const response = await answerOf(server, `/stores${path}?${search.toString()}`)
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer
  throw refusal(server, response.status, answer)
}

const answerOf = async (server: string, path: string): Promise<Response> => {
  let url: URL
  try {
    url = new URL(`http://${server}${path}`)
  } catch {
    throw usage(`'${server}' is not host:port`)
  }
  try {
    return await fetch(url)
  } catch (cause) {
    throw new Fault({
      code: 'SERVER_UNREACHABLE',
      actor: 'runtime',
      message: `nobody serves queries on ${server} (${messageOf((cause as Error).cause ?? cause)})`,
      remedy: 'start the application with --application-server, and name that address',
      cause,
    })
  }
}

/** A request that the server finds wrong is a wrong call. */
const refusal = (server: string, status: number, answer: unknown): Fault => {
  const { code, message, remedy } = (answer ?? {}) as { code?: string; message?: string; remedy?: string }
  if (code === undefined || message === undefined)
    return new Fault({ code: 'SERVER_STRANGE', actor: 'runtime', message: `${server} answered ${status}` })
  return new Fault({ code: status === 400 ? 'USAGE' : code, actor: 'author', message, remedy })
}
