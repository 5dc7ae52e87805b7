import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { connect, string, topic } from '../../src/index.ts'
import { observeSuite } from './observe.suite.ts'

describe('topics as observables on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  observeSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )

  it('unsubscribing closes the connections, also while the broker has not answered yet', async () => {
    const sockets: { readonly destroyed: boolean }[] = []
    const silent = createServer((socket) => void sockets.push(socket.resume().on('error', () => undefined)))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const client = connect({ bootstrapServers: `127.0.0.1:${port}` })
    const subscription = client.observe(topic('orders', { value: string }), { from: 'latest' }).subscribe()
    await expect.poll(() => sockets.length).toBe(1)
    subscription.unsubscribe()
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true)
    silent.close()
  })

  it('a topic that does not exist is the error of the observable', async () => {
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    const missing = topic('there-is-none', { value: string })
    const failure = await new Promise((error) => {
      client.observe(missing, { from: 'latest' }).subscribe({ error })
    })
    expect(failure).toMatchObject({ code: 'TOPIC_MISSING' })
  })

  it('a failure of a publisher that nobody handles is logged and sets the exit code', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      connect({ bootstrapServers: broker.bootstrapServers })
        .publish(topic('none', { value: string }))
        .next({
          key: 'a',
          value: 'b',
        })
      await expect
        .poll(() => write.mock.calls.map(([text]) => String(text)).join(''))
        .toContain('publishing to none has failed')
      expect(process.exitCode).toBe(1)
    } finally {
      process.exitCode = undefined
      write.mockRestore()
    }
  })

  it.each([
    [{}, "'from' is missing"],
    [{ from: 'start' }, 'from is'],
    [{ from: 'latest', until: 'now' }, 'until is'],
    [{ from: 'latest', form: 1 }, "no option 'form'"],
    [{ from: { a: 1 } }, 'from is'],
  ])('options %j are refused', (options, message) => {
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    expect(() => client.observe(topic('orders', { value: string }), options as never)).toThrow(message)
  })
})
