import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import type { BatchHeader } from '../../src/broker/log/record-batch.ts'
import { readBatchHeader } from '../../src/broker/log/record-batch.ts'
import { connect, string, topic } from '../../src/index.ts'
import { batchOf } from '../broker/support/batch.ts'
import { freePort } from '../support/free-port.ts'
import { millraceHere as millrace } from '../support/run-command.ts'
import { runProcess } from '../support/run-process.ts'
import { consoleSuite } from './console.suite.ts'

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

describe('millrace consume', () => {
  it('names its own flags where a batch cannot be read', async () => {
    const broker = await startBroker({ topics: [{ name: 'damaged' }] })
    const batch = batchOf(['readable'])
    batch.set([0x78], batch.length - 2)
    broker.core.broker.topics.partition('damaged', 0)?.append(batch, readBatchHeader(batch) as BatchHeader)
    const { code, stderr } = await millrace([
      ...'consume --topic damaged --from-beginning --timeout-ms 5000 --bootstrap-server'.split(' '),
      broker.bootstrapServers,
    ])
    await broker.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^millrace: .*\(topic damaged, partition 0, offset 0\); read what comes after it with --partition and a later --offset\n$/,
    )
  })
})

/** Several topics, so that what is printed about them has many lines. */
const brokerWithTopics = (): Promise<RunningBroker> =>
  startBroker({ topics: Array.from({ length: 300 }, (_, n) => ({ name: `topic-${n}`, partitions: 1 })) })

describe('a reader that closes the pipe ends a command without an error', () => {
  it.each([
    ['topics --describe', 'topics --describe'],
    ['consume', 'consume --topic topic-0 --from-beginning'],
  ])('%s | head', async (_, args) => {
    const broker = await brokerWithTopics()
    const client = connect({ bootstrapServers: broker.bootstrapServers })
    const lines = topic('topic-0', { value: string })
    await client.write(
      lines,
      Array.from({ length: 2_000 }, (_each, n) => ({ key: null, value: `line ${n} `.repeat(20) })),
    )
    await client.close()
    const command = `${process.execPath} bin/millrace.js ${args} --bootstrap-server ${broker.bootstrapServers}`
    const { code, stdout, stderr } = await runProcess('bash', [
      '-c',
      `set -o pipefail; ${command} | head -n 1`,
    ]).waitForExit()
    await broker.close()
    expect(stderr).toBe('')
    expect(stdout.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(0)
  })
})

describe('what a topic does not hold is refused', () => {
  it.each([
    [['--partition', '9'], /topic 'three' has no partition 9: it has partitions 0 to 2/],
    [['--partition', '0', '--offset', '1000'], /three-0 has no offset 1000: it holds 0 to 0/],
  ])('consume %j', async (args, message) => {
    const broker = await startBroker({ topics: [{ name: 'three', partitions: 3 }] })
    const server = ['--bootstrap-server', broker.bootstrapServers]
    const { code, stderr } = await millrace(['consume', '--topic', 'three', ...args, ...server])
    await broker.close()
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})

describe('millrace broker --auto-create-topics', () => {
  it('creates a topic when it is first asked for', async () => {
    await using broker = runProcess(process.execPath, [
      ...['bin/millrace.js', 'broker', '--port', '0', '--auto-create-topics'],
    ])
    const line = await broker.waitForLine(/embedded broker on/)
    const kafka = new Kafka({ brokers: [String(/on (\S+)/.exec(line)?.[1])], logLevel: logLevel.NOTHING })
    const producer = kafka.producer({
      allowAutoTopicCreation: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    await producer.send({ topic: 'never-created', messages: [{ value: 'x' }] })
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.listTopics()).toEqual(['never-created'])
    await admin.disconnect()
  })

  it('creates the topic of a produce or consume, as for the console tools of Kafka', async () => {
    const creating = await startBroker({ settings: { autoCreateTopicsEnable: true } })
    const at = ['--bootstrap-server', creating.bootstrapServers]
    expect(await millrace(['produce', '--topic', 'produced', ...at], 'hello\n')).toMatchObject({ code: 0 })
    const consume = ['consume', '--topic', 'consumed', '--timeout-ms', '100', ...at]
    expect(await millrace(consume)).toMatchObject({ code: 0 })
    expect((await millrace(['topics', '--list', ...at])).stdout).toBe('consumed\nproduced\n')
    await creating.close()
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
    [['run', 'topologies/hands-on.ts', '--setting', 'comitIntervalMs=1'], /did you mean 'commitIntervalMs'/],
    [['run', 'topologies/hands-on.ts', '--setting', 'bootstrapServers=a:1'], /given with --bootstrap-server/],
    [['run', 'topologies/hands-on.ts', '--setting', 'tls.caFile=a'], /in the file of --command-config/],
    [['run', 'topologies/hands-on.ts', '--application-id', '../elsewhere'], /applicationId: must be a name/],
    [['produce', '--topic', 'x', '--property', 'parse.key=yes'], /parse.key must be true or false/],
    [['produce', '--topic', 'x', '--compression-codec', 'brotli'], /must be none, gzip, snappy, lz4 or zstd/],
    [['produce', '--topic', 'x', '--compression-codec', 'gzp'], /Did you mean gzip\?/],
    [['produce', '--topic', 'bad name'], /not a legal topic name/],
    [['consume', '--topic', 'bad name'], /not a legal topic name/],
    [['consume', '--topic', 'x', '--isolation-level', 'read_commited'], /Did you mean read_committed\?/],
    [['consume', '--topic', 'x', '--partition', '0', '--offset', 'earlist'], /Did you mean earliest\?/],
    [['consume', '--topic', 'x', '--partition', '0', '--offset', '-1'], /earliest, latest or a whole number/],
    [
      ['consume', '--topic', 'x', '--partition', '0', '--offset', '1e3'],
      /earliest, latest or a whole number/,
    ],
    [['consume', '--topic', 'x', '--offset', '3'], /--offset needs --partition/],
    [
      ['consume', '--topic', 'x', '--partition', '0', '--offset', '3', '--from-beginning'],
      /--from-beginning and --offset exclude/,
    ],
    [['consume', '--topic', 'x', '--bootstrap-server', 'localhost:99999'], /no list of Kafka brokers/],
    [['broker', '--port', '99999'], /from 0 to 65535/],
    [['broker', '--port', '9092.5'], /from 0 to 65535/],
    [['topics', '--list', '--partitions', '3'], /--partitions has no effect with --list/],
    [['topics', '--alter', '--topic', 'x', '--config', 'a=b'], /--config has no effect with --alter/],
    [['groups', '--list', '--group', 'x'], /--group has no effect with --list/],
    [['diff', 'package.json', 'topologies/payment.ts'], /package.json holds no topologies/],
    [['publish'], /unknown command 'publish'/],
    [['consume', '--topik', 'x'], /unknown option '--topik' \(Did you mean --topic\?\)/],
    [['consume', '--topic', 'x', '--topic', 'y'], /--topic is given twice/],
    [['consume', '--topic=x', '--topic=y'], /--topic is given twice/],
    [['run', 'topologies/hands-on.ts', '--threads', '2', '--threads', '4'], /--threads is given twice/],
    [['consume', '--topic', 'x', '--timeout-ms', '1e99'], /must be a whole number of at least 1/],
    [['consume', '--topic', 'x', '--max-messages', '0x10'], /must be a whole number of at least 1/],
    [['produce', '--topic', 'x', '--property', 'key.separator='], /key.separator must not be empty/],
    [['groups', '--describe', '--group', 'x', '--all-groups'], /cannot be used with/],
    [['query', '--server', 'localhost:1', '--key', 'k'], /--key needs --store/],
    [['query', '--server', 'localhost:1', '--store', 's', '--from-ms', 'today'], /must be a whole number\./],
    [
      ['replay', 'topologies/hands-on.ts', '--from-beginning', '--replay-id', 'a b'],
      /the replay id 'a b' is no name/,
    ],
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
