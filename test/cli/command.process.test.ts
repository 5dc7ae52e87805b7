import { createConnection } from 'node:net'
import { describe, expect, it } from 'vitest'
import { runProcess } from '../support/run-process.ts'

const passOn = (script: string): readonly string[] => [
  '-e',
  `import('./bin/pass-on.js').then(({ passOn }) => passOn(process.execPath, ['-e', ${JSON.stringify(script)}]))`,
]

/** A command behind a wrapper, as it is where an older Node starts it. */
describe('a command that runs in a child process', () => {
  const untilSignal = (signal: string, code: number): string =>
    `process.on('${signal}', () => process.exit(${code})); setInterval(() => {}, 1000); console.log('ready')`

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'gets %s, and the wrapper ends with its exit code',
    async (signal) => {
      const wrapper = runProcess(process.execPath, passOn(untilSignal(signal, 7)))
      await wrapper.waitForLine('ready')
      wrapper.kill(signal)
      expect((await wrapper.waitForExit()).code).toBe(7)
    },
  )

  it('ends by a signal with the exit code that a shell gives it', async () => {
    const wrapper = runProcess(
      process.execPath,
      passOn("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)"),
    )
    expect((await wrapper.waitForExit()).code).toBe(143)
  })

  it('names a command that cannot be started', async () => {
    const script = `import('./bin/pass-on.js').then(({ passOn }) => passOn('/no/such/node', []))`
    const { code, stderr } = await runProcess(process.execPath, ['-e', script]).waitForExit()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^millrace: \/no\/such\/node cannot be started: .*\n$/)
  })
})

describe('a command below npx', () => {
  it('ends when npx ends the shell between them', async () => {
    await using shell = runProcess(
      'sh',
      ['-c', `${process.execPath} bin/millrace.js broker --port 0; true`],
      { env: { npm_command: 'exec' } },
    )
    const line = await shell.waitForLine(/embedded broker on/)
    const port = Number(/:(\d+)/.exec(line)?.[1])
    shell.kill('SIGKILL')
    await expect.poll(() => isOpen(port)).toBe(false)
  })

  it('ends when npx ends alone, without a word to the shell', async () => {
    const below = `${process.execPath} bin/millrace.js broker --port 0; true`
    const script = `require('node:child_process').spawn('sh', ['-c', ${JSON.stringify(below)}], { stdio: 'inherit' })`
    await using npx = runProcess(process.execPath, ['-e', script], { env: { npm_command: 'exec' } })
    const port = Number(/:(\d+)/.exec(await npx.waitForLine(/embedded broker on/))?.[1])
    npx.kill('SIGKILL')
    await expect.poll(() => isOpen(port), { timeout: 10_000 }).toBe(false)
  })
})

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('close', () => socket.destroy())
    socket.on('connect', () => socket.end())
  })
