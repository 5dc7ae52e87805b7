import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Fault } from '../../src/base/fault.ts'
import { startBroker } from '../../src/broker/index.ts'
import { string, topic } from '../../src/index.ts'
import type { RunningProcess } from '../support/run-process.ts'
import { runProcess } from '../support/run-process.ts'
import { TopicClient } from '../support/topic-client.ts'

const letters = topic('letters', { value: string })

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'millrace-cli-broker-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const brokerCommand = (...args: readonly string[]): RunningProcess =>
  runProcess(process.execPath, ['bin/millrace.js', 'broker', '--port', '0', ...args])

/** Where it listens. */
const addressOf = async (command: RunningProcess): Promise<string> =>
  /\S+:\d+/.exec(await command.waitForLine(/embedded broker on/))?.[0] ?? ''

describe('millrace broker reports its own errors', () => {
  /** A data directory whose log has one byte changed. */
  const damaged = async (dataDirectory: string): Promise<string> => {
    const broker = await startBroker({ dataDirectory, topics: [{ name: 'letters' }] })
    await using client = new TopicClient(broker.bootstrapServers)
    await client.write(letters, [{ key: 'k', value: 'readable' }])
    await broker.close()
    const log = join(dataDirectory, 'logs', 'letters-0')
    const bytes = readFileSync(log)
    writeFileSync(log, bytes.fill(0x78, bytes.length - 2))
    return log
  }

  it('by one line on standard error: a damaged log is named, with what to do', async () => {
    const log = await damaged(join(folder, 'data'))
    await using broker = brokerCommand('--data', join(folder, 'data'))
    await addressOf(broker)
    const { code, stderr } = await broker.stop()
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /^embedded broker: the log ends before byte 0 of its file.*\(topic letters, partition 0, offset 0\); .*\n$/,
    )
    expect(stderr).toContain(log)
  })

  it('by one line also where a path has line ends', async () => {
    const stderr = vi.spyOn(console, 'error').mockReturnValue()
    const dataDirectory = join(folder, 'two\nlines')
    await damaged(dataDirectory)
    const broker = await startBroker({ dataDirectory })
    broker.core.broker.report(new Fault({ code: 'X', actor: 'runtime', message: 'one\n\u001b[2Jtwo\r\n' }))
    await broker.close()
    const lines = stderr.mock.calls.map(([line]) => String(line))
    expect(lines).toEqual([
      expect.stringMatching(/^embedded broker: the log ends before byte 0 .*two lines/),
      'embedded broker: one \\u001b[2Jtwo',
    ])
    expect(lines.join('')).not.toContain('\n')
  })
})

it('millrace broker --max-bytes bounds the memory of topics', async () => {
  await using broker = brokerCommand('--max-bytes', '50000')
  await using client = new TopicClient(await addressOf(broker))
  await expect(client.create({ name: 'large', partitions: 20 })).rejects.toThrow('POLICY_VIOLATION')
  await client.create(letters)
  const records = [{ key: 'k', value: 'x'.repeat(60_000) }]
  await expect(client.write(letters, records)).rejects.toThrow('POLICY_VIOLATION')
  await client.write(letters, [{ key: 'k', value: 'small' }])
  expect(broker.stderr).toMatch(/^embedded broker: .* at most 50000 bytes.*--max-bytes\)\n/)
})
