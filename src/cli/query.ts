import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { isEndpoint, parseEndpoint } from '../app/queries/endpoint.ts'
import type { HttpAnswer } from '../app/queries/http-request.ts'
import { askOverHttp } from '../app/queries/http-request.ts'
import { Fault, messageOf } from '../base/fault.ts'
import { withoutCredentials } from '../base/printable.ts'
import { systemClock } from '../base/system-clock.ts'
import { wholeNumber } from './options.ts'
import { printJson } from './terminal.ts'
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
  readonly tokenFile?: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

/** `millrace query`: asks a running application for what its stores hold; each row is a line of JSON. */
export const queryCommand = (): Command =>
  new Command('query')
    .description('read the state stores of a running application')
    .requiredOption(
      '--server <host:port>',
      'any process of the application that serves queries; https://host:port over TLS',
    )
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
      new Option('--isolation <level>', 'what is seen; defaults to the setting of the application').choices([
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
    .option('--token-file <file>', 'a file with the token that the application wants (queryToken)')
    .option('--ca-file <file>', "a PEM file with the authority of the server's certificate; asks over TLS")
    .option('--cert-file <file>', 'a PEM file with a certificate of your own, where the server wants one')
    .option('--key-file <file>', 'a PEM file with its key')
    .option('--owner', 'who has the key, instead of its value')
    .addHelpText('after', exitCodes)
    .action(async (options: QueryCommandOptions) => {
      if (options.store === undefined && options.key !== undefined) throw usage('--key needs --store')
      if (options.store === undefined) return listStores(options)
      if (options.key === undefined && options.owner === true) throw usage('--owner needs a --key')
      if (options.owner === true) return printJson(await ask(options, 'owner', { key: options.key }))
      const { kind } = (await ask(options, '')) as { readonly kind: string }
      if (isAskedByKey(kind, options)) return printValue(options)
      if (options.asOfMs !== undefined)
        throw usage(`--as-of-ms says nothing in this query of a ${kind} store`)
      return printEntries(options)
    })

const whole = wholeNumber(Number.MIN_SAFE_INTEGER)

const exitCodes = `
Exit codes: 0 where something was found or a range was read, 1 where the key is not there or no process answers, 2 where the
call is wrong.`

/** Windows and sessions of a key are a list; versions are one where a span of times is asked for. */
const isAskedByKey = (kind: string, { key, ...others }: QueryCommandOptions): boolean => {
  const ranges = [others.from, others.to, others.prefix, others.fromMs, others.toMs]
  if (key === undefined || ranges.some((each) => each !== undefined)) return false
  return kind === 'table' || kind === 'keyValue' || kind === 'versioned'
}

const listStores = async (options: QueryCommandOptions): Promise<void> => {
  const { stores } = (await ask(options, undefined)) as { readonly stores: readonly unknown[] }
  for (const store of stores) printJson(store)
}

const printValue = async (options: QueryCommandOptions): Promise<void> => {
  const { key, asOfMs, partition, isolation, standby } = options
  printJson(await ask(options, 'value', { key, asOfMs, partition, isolation, standby }))
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
    for (const row of page.rows) printJson(row)
    left -= page.rows.length
    after = page.after
  } while (after !== undefined && left > 0)
}

const pageRows = 1_000

/** Asks one of the routes of a store, or for the list of stores. */
const ask = async (
  options: QueryCommandOptions,
  route: string | undefined,
  parameters: Readonly<Record<string, string | number | boolean | undefined>> = {},
): Promise<unknown> => {
  const { server, store } = options
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) search.set(name, String(value))
  const path = store === undefined ? '' : `/${encodeURIComponent(store)}${route === '' ? '' : `/${route}`}`
  const { status, body } = await answerOf(options, `/stores${path}?${search.toString()}`)
  const answer = jsonOf(body)
  if (status === 200) return answer
  throw refusal(server, status, answer)
}

const jsonOf = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

const answerOf = async (options: QueryCommandOptions, path: string): Promise<HttpAnswer> => {
  const { server, tokenFile, caFile, certFile, keyFile } = options
  const [, scheme, endpoint = ''] = /^(https?:\/\/)?(.*?)\/?$/.exec(server) ?? []
  if (!isEndpoint(endpoint)) throw usage(`'${withoutCredentials(server)}' is not host:port`)
  const isSecure = scheme === 'https://' || caFile !== undefined || certFile !== undefined
  const token = tokenFile === undefined ? undefined : fileOf(tokenFile).toString().trim().split(/\s/)[0]
  const tls = {
    ca: caFile && fileOf(caFile),
    cert: certFile && fileOf(certFile),
    key: keyFile && fileOf(keyFile),
  }
  const late = new AbortController()
  const cancel = systemClock.setTimer(() => late.abort(new Error('no answer in time')), answerTimeoutMs)
  try {
    return await askOverHttp({
      ...parseEndpoint(endpoint),
      method: 'GET',
      path,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      tls: isSecure ? tls : undefined,
      signal: late.signal,
      maxAnswerBytes,
    })
  } catch (cause) {
    throw new Fault({
      code: 'SERVER_UNREACHABLE',
      actor: 'runtime',
      message: `no process serves queries on ${server} (${messageOf(cause)})`,
      remedy: 'start the application with --application-server, and name that address',
      cause,
    })
  } finally {
    cancel()
  }
}

/** Beyond the longest time that a request may ask a server to wait. */
const answerTimeoutMs = 90_000
const maxAnswerBytes = 256 * 1024 * 1024

const fileOf = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw usage(`${path} can't be read: ${messageOf(cause)}`, 'check the path and who may read it')
  }
}

/** A request that the server finds wrong is a wrong call. */
const refusal = (server: string, status: number, answer: unknown): Fault => {
  const { code, message, remedy } = (answer ?? {}) as { code?: string; message?: string; remedy?: string }
  if (code === undefined || message === undefined)
    return new Fault({ code: 'SERVER_STRANGE', actor: 'runtime', message: `${server} answered ${status}` })
  return new Fault({ code: status === 400 ? 'USAGE' : code, actor: 'author', message, remedy })
}
