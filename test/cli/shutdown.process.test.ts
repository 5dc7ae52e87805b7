import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { useLocalBroker } from '../support/local-broker.ts'
import { runProcess } from '../support/run-process.ts'

const library = new URL('../../src/index.ts', import.meta.url).href

describe('SIGTERM ends millrace', () => {
  const local = useLocalBroker({ topics: [{ name: 'lines' }, { name: 'calls' }] })

  /** A file with one topology over the topic `calls`. */
  const fileOf = (name: string, verbs: string): string => {
    const file = join(local.folder, `${name}.ts`)
    writeFileSync(
      file,
      `import { string, topic, topology } from '${library}'
const calls = topic('calls', { value: string })
export default topology('${name}', (builder) => { builder.stream(calls)${verbs} })\n`,
    )
    return file
  }

  const runOf = (file: string, bootstrapServers: string, ...flags: readonly string[]) =>
    runProcess(process.execPath, [
      ...['bin/millrace.js', 'run', file, '--bootstrap-server', bootstrapServers],
      ...['--state-directory', join(local.folder, 'state'), ...flags],
    ])

  it('run, although it is starting and its broker never answers', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket.on('error', () => {})))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const connected = once(silent, 'connection')
    await using run = runOf(fileOf('starting', '.forEach(() => {})'), `127.0.0.1:${port}`)
    await connected
    run.kill('SIGTERM')
    // The start itself would wait 30 s for an answer.
    const { code, stderr } = await run.waitForExit(20_000)
    for (const socket of sockets) socket.destroy()
    silent.close()
    expect(stderr).toContain('stopped while the application was starting')
    expect(code).toBe(0)
  })

  it('run, although a call has no end, once the shutdown timeout is over', async () => {
    const file = fileOf(
      'endless',
      ".mapAsync(() => { console.log('called'); return new Promise(() => {}) }, { timeout: 600_000 }).forEach(() => {})",
    )
    await using run = runOf(file, local.broker.bootstrapServers, '--shutdown-timeout-ms', '300')
    await run.waitForLine(/: running$/)
    await local.client.writeBytes('calls', [{ key: Buffer.from('k'), value: Buffer.from('a') }])
    await run.waitForLine('called')
    run.kill('SIGTERM')
    const { code, stderr } = await run.waitForExit()
    expect(stderr).toMatch(/^millrace: .*300 ms/m)
    expect(code).toBe(1)
  })

  it('run, although its file holds the process', async () => {
    const file = fileOf('held', '.forEach(() => {})')
    writeFileSync(file, 'setInterval(() => {}, 1_000)', { flag: 'a' })
    await using run = runOf(file, local.broker.bootstrapServers)
    await run.waitForLine(/: running$/)
    run.kill('SIGTERM')
    const { code, stderr } = await run.waitForExit()
    expect(code, stderr).toBe(0)
  })

  it('run, although clients hold connections to its queries open', async () => {
    const port = await freePort()
    const file = fileOf('asked', '.forEach(() => {})')
    await using run = runOf(file, local.broker.bootstrapServers, '--query-listen', `127.0.0.1:${port}`)
    await run.waitForLine(/: running$/)
    const clients = ['', 'GET /health HTTP/1.1\r\nHost: loc'].map((text) => {
      const client = connect(port, '127.0.0.1')
      client.on('error', () => {})
      client.write(text)
      return client
    })
    await Promise.all(clients.map((client) => once(client, 'connect')))
    run.kill('SIGTERM')
    const { code, stderr } = await run.waitForExit()
    for (const client of clients) client.destroy()
    expect(code, stderr).toBe(0)
  })

  it('consume, although nobody reads what it prints', async () => {
    const value = Buffer.alloc(10_000, 'a')
    await local.client.writeBytes(
      'lines',
      Array.from({ length: 500 }, () => ({ key: null, value })),
    )
    const consume = spawn(process.execPath, [
      ...['bin/millrace.js', 'consume', '--topic', 'lines', '--from-beginning'],
      ...['--bootstrap-server', local.broker.bootstrapServers],
    ])
    const ended = once(consume, 'exit')
    await once(consume.stdout, 'readable')
    // It has written what the pipe takes, and waits.
    await new Promise((resolve) => setTimeout(resolve, 500))
    consume.kill('SIGTERM')
    expect((await ended)[0]).toBe(0)
  })
})

it('a command that no longer waits for signals survives SIGPIPE, which comes with every closed connection', async () => {
  const shutdown = new URL('../../src/cli/shutdown.ts', import.meta.url).href
  await using child = runProcess(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { shutdownSignal } from '${shutdown}'
     shutdownSignal().dispose()
     process.kill(process.pid, 'SIGPIPE')
     setTimeout(() => console.log('alive'), 100)`,
  ])
  expect(await child.waitForExit()).toMatchObject({ code: 0, stdout: 'alive\n' })
})
