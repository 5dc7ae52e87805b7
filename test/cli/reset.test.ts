import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { datetime, duration } from '../../src/cli/options.ts'
import { millraceHere } from '../support/run-command.ts'
import { TopicClient } from '../support/topic-client.ts'

describe('millrace reset', () => {
  let broker: RunningBroker
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-reset-'))
  const file = join(folder, 'forwarding.ts')
  beforeAll(async () => {
    broker = await startBroker()
    writeFileSync(
      file,
      `import { string, topic, topology } from '${process.cwd()}/src/index.ts'
       export const forwarding = topology('forwarding', (builder) => {
         builder.stream(topic('from', { value: string })).to(topic('to', { value: string }))
       })`,
    )
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const millrace = async (...args: readonly string[]) => {
    const at = ['--state-directory', join(folder, 'state'), '--bootstrap-server', broker.bootstrapServers]
    const { code, stdout, stderr } = await millraceHere(['reset', ...args, ...at])
    return { code, lines: stdout.split('\n').slice(0, -1), stderr }
  }

  it('says line by line what it would do, and does it with --execute', async () => {
    await using client = new TopicClient(broker.bootstrapServers)
    await client.create({ name: 'from', partitions: 2 }, { name: 'to' })
    await client.admin.alterGroupOffsets('forwarding', [{ topic: 'from', partition: 1, offset: 5 }])
    const committed = async () => (await client.admin.groupOffsets('forwarding')).get('from-1')?.offset

    expect(await millrace(file)).toEqual({
      code: 0,
      lines: [
        'forwarding: would move from-0 from no offset to 0',
        'forwarding: would move from-1 from 5 to 0',
        'forwarding: nothing has been done; add --execute to do it',
      ],
      stderr: '',
    })
    expect(await committed()).toBe(5)
    const byId = await millrace('--application-id', 'forwarding', '--to-latest', '--execute')
    expect(byId.lines).toEqual([
      'forwarding: moved from-0 from no offset to 0',
      'forwarding: moved from-1 from 5 to 0',
    ])
    expect(await committed()).toBe(0)
  })

  it.each([
    [[], /reset needs a file or --application-id/],
    [['--application-id', 'x', '--to-latest', '--to-offset', '3'], /say one of --to-earliest/],
    [['--application-id', 'x', '--execute', '--dry-run'], /not both/],
    [['--application-id', 'x', '--by-duration', '1h'], /as in PT1H/],
    [['--application-id', 'x', '--to-datetime', 'yesterday'], /YYYY-MM-DDTHH:mm:SS.sss/],
  ])('refuses %j', async (args, message) => {
    const { code, lines, stderr } = await millrace(...args)
    expect({ code, lines }).toEqual({ code: 2, lines: [] })
    expect(stderr).toMatch(message)
  })

  it('refuses an application that has no offsets, topics or state, and exits with 2', async () => {
    expect(await millrace('--application-id', 'forwardng', '--execute')).toEqual({
      code: 2,
      lines: [],
      stderr: expect.stringMatching(/^millrace: there is no application 'forwardng': [^\n]*\n$/),
    })
  })

  it('reads times and durations as Kafka’s tools do', () => {
    const noon = Date.UTC(2026, 0, 2, 12)
    expect(datetime('2026-01-02T12:00:00.000')).toBe(noon)
    expect(datetime('2026-01-02T12:00:00Z')).toBe(noon)
    expect(datetime('2026-01-02T14:00:00.000+0200')).toBe(noon)
    expect(duration('PT1H')).toBe(3_600_000)
    expect(duration('P2DT3M4.5S')).toBe(2 * 86_400_000 + 184_500)
    for (const wrong of ['P', 'PT', '1H', 'PT1D', 'P1Y']) expect(() => duration(wrong)).toThrow('PT1H')
  })
})
