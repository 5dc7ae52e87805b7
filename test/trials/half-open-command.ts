import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../src/broker/index.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { runProcess } from '../support/run-process.ts'
import type { Trial } from './trial.ts'

/** Commands against a broker that accepts connections and never answers, and against one that falls silent. */
const requestTimeoutMs = 30_000
/** Node's start, and the last retry. */
const graceMs = 8_000

const bin = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))

export const trial: Trial = {
  name: 'half-open-command',
  finding:
    'a command meets a broker that accepts its connection and never answers, or falls silent after an answer',
  bound: 'it ends with code 1 and a message within the request timeout of 30 s, after its start',
  needs: 'own',
  run: async ({ log }) => {
    const results = [await againstSilence(), await againstHalfOpen()]
    for (const { what, stderr } of results) log(`${what}: ${stderr.trim()}`)
    return {
      passed: results.every(
        ({ code, stderr, tookMs }) =>
          code === 1 && stderr.includes('did not answer in time') && tookMs < requestTimeoutMs + graceMs,
      ),
      measured: results
        .map(({ what, code, tookMs }) => `${what}: code ${code} after ${tookMs} ms`)
        .join('; '),
    }
  },
}

const againstSilence = async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await describeAt('never answers', `127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

const againstHalfOpen = async () => {
  const broker = await startBroker({ topics: [{ name: 't' }] })
  const proxy = await FaultProxy.start({ target: broker.bootstrapServers })
  const [host = '', port] = proxy.address.split(':')
  broker.core.broker.advertised = { host, port: Number(port) }
  // The metadata are answered, and nothing after them, on any connection.
  broker.core.onRequest('DescribeConfigs', () => {
    proxy.openHole()
    return undefined
  })
  try {
    return await describeAt('falls silent', proxy.address)
  } finally {
    await proxy[Symbol.asyncDispose]()
    await broker.close()
  }
}

const describeAt = async (what: string, bootstrap: string) => {
  const begunMs = performance.now()
  const args = [bin, 'topics', '--describe', '--topic', 't', '--bootstrap-server', bootstrap]
  await using command = runProcess(process.execPath, args)
  const { code, stderr } = await command.waitForExit(2 * requestTimeoutMs)
  return { what, code, stderr, tookMs: Math.round(performance.now() - begunMs) }
}
