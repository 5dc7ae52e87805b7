import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBroker, type RunningBroker } from '../../src/broker/index.ts'
import { runToEnd } from '../support/run-process.ts'

/** librdkafka is the client library under most languages' clients; kcat is its command line. */
let broker: RunningBroker

beforeAll(async () => {
  broker = await startBroker({
    topics: [{ name: 'lines', partitions: 2 }, { name: 'zipped' }, { name: 'grouped' }],
    onInternalError: (error) => {
      throw error
    },
  })
})

afterAll(() => broker.close())

const kcat = async (args: readonly string[], input = ''): Promise<string> => {
  const { stdout } = await runToEnd('kcat', ['-b', broker.bootstrapServers, ...args], { input })
  return stdout
}

const lines = (text: string): string[] => text.trim().split('\n').sort()

describe('kcat', () => {
  it('lists topics and partitions', async () => {
    const { topics } = JSON.parse(await kcat(['-L', '-J'])) as {
      topics: { topic: string; partitions: { leader: number }[] }[]
    }
    expect(topics.find(({ topic }) => topic === 'lines')?.partitions.map(({ leader }) => leader)).toEqual([
      1, 1,
    ])
  })

  it('reads keys, values and headers that it wrote as an idempotent producer', async () => {
    const settings = ['-X', 'enable.idempotence=true', '-X', 'acks=all']
    await kcat(['-P', '-t', 'lines', '-K', ':', '-H', 'trace=7', ...settings], 'a:one\nb:two\nc:three\n')
    const read = await kcat(['-C', '-t', 'lines', '-e', '-q', '-f', '%k=%s %h\\n'])
    expect(lines(read)).toEqual(['a=one trace=7', 'b=two trace=7', 'c=three trace=7'])
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads back what it compressed with %s', async (codec) => {
    const start = broker.core.broker.topics.partition('zipped', 0)?.logEndOffset ?? 0
    const words = Array.from({ length: 50 }, (_, index) => `${codec}-${index}`)
    await kcat(['-P', '-t', 'zipped', '-z', codec], `${words.join('\n')}\n`)
    expect(lines(await kcat(['-C', '-t', 'zipped', '-o', String(start), '-e', '-q']))).toEqual(words.sort())
  })

  it('consumes in a group and goes on where it committed', async () => {
    const consume = (): Promise<string> =>
      kcat(['-G', 'readers', '-e', '-q', '-X', 'auto.offset.reset=earliest', 'grouped'])
    await kcat(['-P', '-t', 'grouped'], 'first\n')
    expect(lines(await consume())).toEqual(['first'])
    await kcat(['-P', '-t', 'grouped'], 'second\n')
    expect(lines(await consume())).toEqual(['second'])
  })

  it('finds offsets by time', async () => {
    expect(await kcat(['-Q', '-t', 'grouped:0:-1'])).toContain('offset 2')
    expect(await kcat(['-Q', '-t', 'grouped:0:-2'])).toContain('offset 0')
  })

  it('is told of a topic that is not there', async () => {
    await expect(
      kcat(['-P', '-t', 'missing', '-X', 'topic.metadata.propagation.max.ms=100'], 'x\n'),
    ).rejects.toThrow(/unknown topic/i)
  })
})
