import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { runProcess, runToEnd } from './run-process.ts'

const script = (source: string): [string, string[]] => [process.execPath, ['-e', source]]

test('a process tells its output byte for byte and line by line', async () => {
  const running = runProcess(...script(`process.stdout.write('one\\n  two: ü '); console.error('three')`))
  const ended = await running.waitForExit()
  expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'one\n  two: ü ', stderr: 'three\n' })
  expect(running.lines.toSorted()).toEqual(['  two: ü ', 'one', 'three'])
})

test('a line is awaited whether it was written before or after', async () => {
  await using running = runProcess(
    ...script(`console.log('ready'); process.stdin.on('data', (d) => console.log('got ' + d))`),
  )
  expect(await running.waitForLine(/^ready$/)).toBe('ready')
  const answer = running.waitForLine('got hello')
  running.write('hello')
  running.endInput()
  expect(await answer).toBe('got hello')
  expect(await running.waitForLine(/read/)).toBe('ready')
})

test('a line cut in two by the pipe is one line', async () => {
  const running = runProcess(
    ...script(`process.stdout.write('half'); setTimeout(() => process.stdout.write(' and half\\n'), 50)`),
  )
  expect(await running.waitForLine('and half')).toBe('half and half')
  await running.waitForExit()
})

test('a process that ends without the line says so with its output', async () => {
  const running = runProcess(...script(`console.log('something else'); process.exit(3)`))
  await expect(running.waitForLine('ready')).rejects.toThrow(/ended \(3\).*ready.*something else/s)
})

test('a deadline that passes says what was written', async () => {
  await using running = runProcess(...script(`console.log('up'); setInterval(() => {}, 1000)`))
  await running.waitForLine('up')
  await expect(running.waitForExit(20)).rejects.toThrow(/did not end within 20 ms.*up/s)
  await expect(running.waitForLine('never', 20)).rejects.toThrow(/no line like never.*up/s)
})

test('a signal ends one process and is told', async () => {
  const [one, two] = [0, 1].map(() => runProcess(...script(`console.log('up'); setInterval(() => {}, 1000)`)))
  if (one === undefined || two === undefined) throw new Error('two processes were started')
  await Promise.all([one.waitForLine('up'), two.waitForLine('up')])
  one.kill('SIGKILL')
  expect(await one.waitForExit()).toMatchObject({ code: null, signal: 'SIGKILL' })
  expect(() => process.kill(two.pid, 0)).not.toThrow()
  expect(await two.stop()).toMatchObject({ signal: 'SIGTERM' })
})

test('a process deaf to SIGTERM is stopped all the same', async () => {
  const running = runProcess(
    ...script(`process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`),
  )
  await running.waitForLine('up')
  expect(await running.stop(50)).toMatchObject({ signal: 'SIGKILL' })
})

test('a command that does not exist is an error', async () => {
  await expect(runProcess('no-such-command', []).waitForExit()).rejects.toThrow(/ENOENT/)
})

test('a command run to its end is given input, and its failure is told with its output', async () => {
  const echoed = await runToEnd(...script(`process.stdin.pipe(process.stdout)`), { input: 'a\n' })
  expect(echoed.stdout).toBe('a\n')
  await expect(runToEnd(...script(`console.error('broken'); process.exit(7)`))).rejects.toThrow(
    /ended with 7:\nbroken/,
  )
})

test('a variable is added to the environment or taken away', async () => {
  const source = `console.log(process.env.ADDED, process.env.PATH)`
  const { stdout } = await runToEnd(...script(source), { env: { ADDED: 'yes', PATH: undefined } })
  expect(stdout).toBe('yes undefined\n')
})

test('a process that was started ends with the one that started it', async () => {
  // The child holds a connection, and its end closes it: a pid that answers could be a dead child nobody reaped.
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const connected = once(server, 'connection')
  const starter = runProcess(process.execPath, [
    '--input-type=module',
    '-e',
    `import { runProcess } from '${import.meta.dirname}/run-process.ts'
     runProcess(process.execPath, ['-e', "require('net').connect(${port}, '127.0.0.1')"])
     setInterval(() => {}, 1000)`,
  ])
  const [socket] = (await connected) as [Socket]
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => resolve()).on('error', () => undefined),
  )
  starter.kill('SIGTERM')
  expect(await starter.waitForExit()).toMatchObject({ signal: 'SIGTERM' })
  await closed
  expect(socket.destroyed).toBe(true)
  server.close()
})
