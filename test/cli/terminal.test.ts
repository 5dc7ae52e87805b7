import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { bytes, topic } from '../../src/index.ts'
import { millraceHere } from '../support/run-command.ts'
import { TopicClient } from '../support/topic-client.ts'

const hostile = 'a\u001b[2Jb\nc\u202ed'
const input = topic('input', { key: bytes, value: bytes })

describe('millrace, of text from topics and groups,', () => {
  let broker: RunningBroker
  const { isTTY } = process.stdout
  beforeAll(async () => {
    broker = await startBroker()
    await using client = new TopicClient(broker.bootstrapServers)
    await client.create(input)
    const headers = [[hostile, utf8Encode(hostile)]] as const
    await client.writeBytes(input.name, [{ key: utf8Encode(hostile), value: utf8Encode(hostile), headers }])
  })
  afterAll(async () => {
    process.stdout.isTTY = isTTY
    await broker.close()
  })

  const printed = async (isTerminal: boolean, args: readonly string[]): Promise<string> => {
    process.stdout.isTTY = isTerminal
    return (await millraceHere([...args, '--bootstrap-server', broker.bootstrapServers])).stdout
  }

  const consumed = (isTerminal: boolean): Promise<string> => {
    const properties = ['--property', 'print.key=true', '--property', 'print.headers=true']
    const what = ['--from-beginning', '--max-messages', '1', ...properties]
    return printed(isTerminal, ['consume', '--topic', input.name, ...what])
  }

  it('escapes control characters of records on a terminal', async () => {
    const shown = String.raw`a\u001b[2Jb\nc\u202ed`
    expect(await consumed(true)).toBe(`${shown}:${shown}\t${shown}\t${shown}\n`)
  })

  it('writes records as they are into a pipe', async () => {
    expect(await consumed(false)).toBe(`${hostile}:${hostile}\t${hostile}\t${hostile}\n`)
  })

  const group = 'team\u009b2J\u202e'
  const config = 'follower.replication.throttled.replicas'

  it.each([
    ['a list of groups', ['groups', '--list']],
    ['a list of groups as JSON', ['groups', '--list', '--json']],
    ['a group', ['groups', '--describe', '--group', group]],
    ['a group as JSON', ['groups', '--describe', '--group', group, '--json']],
    ['configurations', ['topics', '--describe', '--topic', 'throttled']],
  ])('escapes %s on a terminal, and keeps lines and columns', async (_what, args) => {
    await using client = new TopicClient(broker.bootstrapServers)
    await client.create(input)
    await client.admin.alterGroupOffsets(group, [{ topic: input.name, partition: 0, offset: 0 }])
    await client.admin.createTopics([{ topic: 'throttled', configs: { [config]: `0:1,${group}` } }])
    const shown = await printed(true, args)
    const piped = await printed(false, args)
    expect(piped).toContain(group)
    expect(shown).toContain(String.raw`team\u009b2J\u202e`)
    expect(shown).not.toMatch(/[\u009b\u202e]/)
    expect(shown.split('\n').length).toBe(piped.split('\n').length)
    expect(shown.split('\t').length).toBe(piped.split('\t').length)
    if (args.includes('--json')) expect(JSON.parse(shown)).toEqual(JSON.parse(piped))
  })
})

describe('an address with a password', () => {
  it.each([
    ['query', '--server', 'https://u:PASSWORD@host:1'],
    ['query', '--server', 'u:PASSWORD@host:1'],
    ['query', '--server', 'https://host:1/?token=PASSWORD'],
    ['topics', '--list', '--bootstrap-server', 'https://u:PASSWORD@host:1'],
    ['consume', '--topic', 'orders', '--bootstrap-server', 'a:1,u:PASSWORD@host:1'],
  ])('is refused by %s %s %s without it', async (...args) => {
    const { code, stdout, stderr } = await millraceHere(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/host|list of Kafka brokers/)
    expect(stderr).not.toContain('PASSWORD')
  })
})
