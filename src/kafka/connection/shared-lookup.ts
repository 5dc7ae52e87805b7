import type { LookupAddress, LookupOptions } from 'node:dns'
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * Name lookups of connections, one at a time for each host: connections that need the same host meanwhile
 * share its result.
 *
 * Node looks names up in its thread pool, which has four threads and serves files too. A name server that does not answer
 * holds a thread for as long as the system's resolver tries, beyond the connect timeout. Without sharing, a few lanes that
 * reconnect would hold them all.
 */
export const sharedLookup: LookupFunction = (host, options, callback) => {
  const name = `${host} ${String(options.family)} ${String(options.hints)} ${String(options.all)}`
  const waiting = running.get(name)
  if (waiting !== undefined) {
    waiting.push(callback)
    return
  }
  const callbacks = [callback]
  running.set(name, callbacks)
  resolve(host, options, (...answer) => {
    running.delete(name)
    for (const each of callbacks) each(...answer)
  })
}

type Answer = Parameters<LookupFunction>[2]

const running = new Map<string, Answer[]>()

const resolve = (host: string, options: LookupOptions, callback: Answer): void => {
  if (options.all === true)
    lookup(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => callback(error, addresses))
  else lookup(host, { ...options, all: false }, callback)
}
