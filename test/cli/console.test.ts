import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { freePort } from '../support/free-port.ts'
import { runProcess } from '../support/run-process.ts'
import { consoleSuite, millrace } from './console.suite.ts'

describe('millrace on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker({ port: 0 })
  })
  afterAll(() => broker.close())
  let count = 0
  consoleSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})

describe('millrace broker', () => {
  it('serves until SIGTERM, then exits with 0', async () => {
    const port = await freePort()
    const broker = runProcess(process.execPath, ['bin/millrace.js', 'broker', '--port', String(port)])
    await broker.waitForLine(new RegExp(`embedded broker on 127.0.0.1:${port} \\(in memory\\)`))
    const created = await millrace([
      'topics',
      '--create',
      '--topic',
      'x',
      '--bootstrap-server',
      `127.0.0.1:${port}`,
    ])
    expect(created.stdout).toBe('Created topic x.\n')
    broker.kill('SIGTERM')
    expect((await broker.waitForExit()).code).toBe(0)
  })

  it('says that its port is in use, and what to do', async () => {
    const broker = await startBroker({ port: 0 })
    const second = await millrace(['broker', '--port', String(broker.port)])
    await broker.close()
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(new RegExp(`^millrace: port ${broker.port} is in use.*another port.*\\n$`))
  })
})

describe('an error of the call is one clear line', () => {
  it.each([
    [['topics', '--create', '--topics', 'x'], /unknown option '--topics'.*--topic/],
    [['topics', '--create'], /--topic/],
    [['topics', '--topic', 'x'], /--create|--list|--describe|--delete/],
    [['topics', '--create', '--topic', 'x', '--partitions', 'many'], /whole number/],
    [['topics', '--create', '--topic', 'bad name'], /not a legal topic name/],
    [['consume', '--from-beginning'], /--topic/],
    [['produce', '--topic', 'x', '--property', 'parse.keys=true'], /no property 'parse.keys'/],
    [['run', 'no-such-file.ts'], /no file no-such-file.ts/],
    [['publish'], /unknown command 'publish'/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await millrace(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('a broker that is not there is named with the way out', async () => {
    const port = await freePort()
    const { code, stderr } = await millrace(['topics', '--list', '--bootstrap-server', `127.0.0.1:${port}`])
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^millrace: .*127\\.0\\.0\\.1:${port}.*\\n$`))
  })

  it('--help explains every command', async () => {
    for (const command of [
      'topics',
      'groups',
      'produce',
      'consume',
      'run',
      'query',
      'replay',
      'reset',
      'describe',
      'broker',
    ]) {
      const { code, stdout } = await millrace([command, '--help'])
      expect(code, command).toBe(0)
      expect(stdout, command).toContain(`Usage: millrace ${command}`)
    }
  })
})
