import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ProcessExit } from '../support/run-process.ts'
import { millraceHere as millrace } from '../support/run-command.ts'
import { runProcess } from '../support/run-process.ts'

/** Runs `millrace …` as a process of its own, to its end. */
const millraceProcess = (args: readonly string[], input?: string): Promise<ProcessExit> =>
  runProcess(
    process.execPath,
    ['bin/millrace.js', ...args],
    input === undefined ? {} : { input },
  ).waitForExit(60_000)

/**
 * What Kafka's own console tools do, asked of `millrace`: the same on the embedded broker and on Apache Kafka. What the
 * process adds, its streams and exit code, is tested by two of the tests; the others run the commands in this process. `unique` makes names that nobody else on the broker uses.
 */
export const consoleSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const at = (): readonly string[] => ['--bootstrap-server', brokers()]
  const creation = (topic: string, partitions = 1): readonly string[] => [
    ...['topics', '--create', '--topic', topic, '--partitions', String(partitions)],
    ...['--replication-factor', '1', ...at()],
  ]
  const create = (topic: string, partitions = 1): ReturnType<typeof millrace> =>
    millrace(creation(topic, partitions))

  describe('topics', () => {
    it('says that a topic was created (H1, H2)', async () => {
      for (const prefix of ['order-created', 'order-processor']) {
        const topic = unique(prefix)
        expect(await millraceProcess(creation(topic))).toMatchObject({
          code: 0,
          stdout: `Created topic ${topic}.\n`,
          stderr: '',
        })
      }
    })

    it('lists, describes and deletes topics', async () => {
      const topic = unique('three')
      await create(topic, 3)
      const list = await millrace(['topics', '--list', ...at()])
      expect(list.stdout.split('\n')).toContain(topic)
      const described = await millrace(['topics', '--describe', '--topic', topic, ...at()])
      expect(described.stdout).toContain(`Topic: ${topic}`)
      expect(described.stdout).toContain('PartitionCount: 3')
      expect(await millrace(['topics', '--delete', '--topic', topic, ...at()])).toMatchObject({
        code: 0,
        stdout: '',
      })
      const after = await millrace(['topics', '--list', ...at()])
      expect(after.stdout.split('\n')).not.toContain(topic)
    })

    it('refuses a topic that exists, unless told that this is fine', async () => {
      const topic = unique('twice')
      await create(topic)
      const again = await create(topic)
      expect(again).toMatchObject({ code: 1, stdout: '' })
      expect(again.stderr).toBe(
        `millrace: topic '${topic}' already exists (topic ${topic}); use --if-not-exists to accept that\n`,
      )
      const accepted = await millrace(['topics', '--create', '--if-not-exists', '--topic', topic, ...at()])
      expect(accepted.code).toBe(0)
    })

    it('names a topic that does not exist', async () => {
      const described = await millrace(['topics', '--describe', '--topic', 'no-such-topic', ...at()])
      expect(described.code).toBe(1)
      expect(described.stderr).toMatch(/^millrace: .*no-such-topic.*\n$/)
    })
  })

  describe('produce and consume', () => {
    it('carries a line byte for byte, and produces in silence (H3, H4)', async () => {
      const topic = unique('order-created')
      await create(topic)
      const line = '{"orderId": "12345", "status": "created"}'
      const produced = await millraceProcess(['produce', '--topic', topic, ...at()], `${line}\n`)
      expect(produced).toMatchObject({ code: 0, stdout: '', stderr: '' })
      const consumed = await millraceProcess([
        ...['consume', '--topic', topic, '--from-beginning', '--max-messages', '1', ...at()],
      ])
      expect(consumed).toMatchObject({ code: 0, stdout: `${line}\n` })
    })

    it('parses and prints keys with Kafka’s properties', async () => {
      const topic = unique('orders')
      await create(topic)
      const input = 'order-123:{"status": "created"}\norder-124:{"status": "paid"}'
      const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:']
      await millrace(['produce', '--topic', topic, ...keyed, ...at()], input)
      const consumed = await millrace([
        ...['consume', '--topic', topic, '--from-beginning', '--max-messages', '2', ...at()],
        ...[
          '--property',
          'print.key=true',
          '--property',
          'key.separator= => ',
          '--property',
          'print.partition=true',
        ],
      ])
      expect(consumed.stdout).toBe(
        'Partition:0 => order-123 => {"status": "created"}\nPartition:0 => order-124 => {"status": "paid"}\n',
      )
    })

    it('keeps lines of any length and alphabet', async () => {
      const topic = unique('alphabets')
      await create(topic)
      const lines = ['日本語のレコード', '  leading and trailing  ', 'x'.repeat(200_000), '', 'end']
      await millrace(['produce', '--topic', topic, ...at()], `${lines.join('\n')}\n`)
      const consumed = await millrace([
        ...['consume', '--topic', topic, '--from-beginning', '--max-messages', String(lines.length), ...at()],
      ])
      expect(consumed.stdout).toBe(`${lines.join('\n')}\n`)
    })

    it('refuses a line without the key separator, naming the line', async () => {
      const topic = unique('bad-lines')
      await create(topic)
      const produced = await millrace(
        [
          'produce',
          '--topic',
          topic,
          '--property',
          'parse.key=true',
          '--property',
          'key.separator=:',
          ...at(),
        ],
        'a:1\nno separator\n',
      )
      expect(produced.code).toBe(1)
      expect(produced.stderr).toMatch(/^millrace: line 2 .*key separator.*\n$/)
      const consumed = await millrace([
        ...['consume', '--topic', topic, '--from-beginning', '--max-messages', '1', ...at()],
      ])
      expect(consumed.stdout).toBe('1\n')
    })

    it('stops waiting after --timeout-ms', async () => {
      const topic = unique('empty')
      await create(topic)
      const consumed = await millrace([
        'consume',
        '--topic',
        topic,
        '--from-beginning',
        '--timeout-ms',
        '500',
        ...at(),
      ])
      expect(consumed).toMatchObject({ code: 0, stdout: '' })
    })

    it('names a topic that does not exist', async () => {
      for (const command of ['produce', 'consume']) {
        const { code, stderr } = await millrace([command, '--topic', 'no-such-topic', ...at()], 'x\n')
        expect(code, command).toBe(1)
        expect(stderr, command).toMatch(/^millrace: .*'?no-such-topic'? does not exist.*\n$/)
      }
    })
  })

  describe('run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    it('prints the exact line of the hands-on exercise, and nothing for another status (H6–H9)', async () => {
      const topic = 'orders'
      await millrace(['topics', '--create', '--if-not-exists', '--topic', topic, ...at()])
      const settings = ['--state-directory', folder, '--application-id', unique('hands-on')]
      const running = runProcess(
        process.execPath,
        ['bin/millrace.js', 'run', 'topologies/hands-on.ts', ...settings, ...at()],
        { env: { LISTEN_STATUS: 'created' } },
      )
      await running.waitForLine(/running/, 60_000)
      const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:']
      const records = 'order-122:{"status": "shipped"}\norder-123:{"status": "created"}\n'
      await millrace(['produce', '--topic', topic, ...keyed, ...at()], records)
      await running.waitForLine(/^Order order-123 received with status created$/, 60_000)
      running.kill('SIGTERM')
      const exit = await running.waitForExit(30_000)
      expect(exit.code).toBe(0)
      const lines = exit.stdout.split('\n').filter((line) => line.startsWith('Order '))
      expect(new Set(lines)).toEqual(new Set(['Order order-123 received with status created']))
    })

    it('asks the file about records that fail, where it exports a function for that', async () => {
      const input = unique('amounts')
      await create(input)
      const file = join(folder, `${input}.ts`)
      const library = new URL('../../src/index.ts', import.meta.url)
      writeFileSync(
        file,
        `import { long, string, topic, topology } from '${library.href}'
         export const reader = topology('reader', (builder) => {
           builder
             .stream(topic('${input}', { key: string, value: long }))
             .forEach(({ key, value }) => console.log(key, value))
         })
         export const onFailedRecord = ({ stage, fault }) => (console.log(stage, fault.code), 'skip')\n`,
      )
      const place = ['--state-directory', folder, '--application-id', unique('reader')]
      const running = runProcess(process.execPath, ['bin/millrace.js', 'run', file, ...place, ...at()])
      await running.waitForLine(/running/, 60_000)
      const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:']
      await millrace(['produce', '--topic', input, ...keyed, ...at()], 'bad:short\ngood:\0\0\0\0\0\0\0\x07\n')
      await running.waitForLine(/^good 7$/, 60_000)
      const { code, stdout } = await running.stop()
      expect([code, stdout.split('\n').find((line) => line.startsWith('des'))]).toEqual([
        0,
        'deserialization SERDE_VALUE_INVALID',
      ])
    })

    it('says which file exports no topology', async () => {
      const file = join(folder, 'empty.ts')
      writeFileSync(file, 'export const nothing = 1\n')
      expect(await millrace(['run', file, ...at()])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('exports no topology') as string,
      })
    })
  })
}
