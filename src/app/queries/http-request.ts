import type { Agent, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import type { RequestOptions } from 'node:https'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Endpoint } from './endpoint.ts'

export interface HttpRequest extends Endpoint {
  readonly method: 'GET' | 'POST'
  /** The path with what follows the question mark. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Without it, the request goes over plain HTTP. */
  readonly tls?: RequestOptions | undefined
  readonly lookup?: LookupFunction | undefined
  /** Holds connections for later requests; by default each request has one of its own. */
  readonly agent?: Agent
  readonly signal?: AbortSignal | undefined
  readonly maxAnswerBytes: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Sends one request. A redirect is an answer as any other, and is not followed. */
export const askOverHttp = ({
  tls,
  body,
  maxAnswerBytes,
  agent,
  ...options
}: HttpRequest): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const all = { ...options, agent: agent ?? (false as const) }
    const request = tls === undefined ? httpRequest(all) : httpsRequest({ ...all, ...tls })
    // A name with several addresses fails by one error for each.
    request.once('error', (error) => reject(error instanceof AggregateError ? error.errors[0] : error))
    request.once('response', (response) => {
      answerOf(response, maxAnswerBytes).then(resolve, (error: Error) => {
        request.destroy()
        reject(error)
      })
    })
    request.end(body)
  })

const answerOf = async (response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode as number, headers: response.headers, body: Buffer.concat(chunks) }
}
