import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { bytes, topic } from '../../src/index.ts'
import { millraceHere } from '../support/run-command.ts'
import { TopicClient } from '../support/topic-client.ts'

const hostile = 'a\u001b[2Jb\nc\u202ed'
const input = topic('input', { key: bytes, value: bytes })

describe('millrace consume', () => {
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

  const consumed = async (isTerminal: boolean): Promise<string> => {
    process.stdout.isTTY = isTerminal
    const where = ['--topic', input.name, '--bootstrap-server', broker.bootstrapServers]
    const what = [
      '--from-beginning',
      '--max-messages',
      '1',
      '--property',
      'print.key=true',
      '--property',
      'print.headers=true',
    ]
    return (await millraceHere(['consume', ...where, ...what])).stdout
  }

  it('escapes control characters on a terminal', async () => {
    const shown = String.raw`a\u001b[2Jb\nc\u202ed`
    expect(await consumed(true)).toBe(`${shown}:${shown}\t${shown}\t${shown}\n`)
  })

  it('writes records as they are into a pipe', async () => {
    expect(await consumed(false)).toBe(`${hostile}:${hostile}\t${hostile}\t${hostile}\n`)
  })
})
