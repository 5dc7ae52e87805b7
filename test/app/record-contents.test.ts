import { deepStrictEqual } from 'node:assert'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Logger, SettingsInput } from '../../src/index.ts'
import { bytes, standardErrorLogger, start, string, topic, topology } from '../../src/index.ts'
import { utf8Decode, utf8Encode } from '../../src/base/bytes.ts'
import { ApplicationLog } from '../../src/app/application-log.ts'
import { useLocalBroker } from '../support/local-broker.ts'

const pan = '4111-1111-1111-1111'
const forged = '\u001b[2J\nFAKE: shop: running'

describe('a record that fails', () => {
  const local = useLocalBroker()

  /** Runs an application over one bad record; returns all that it reports, and the dead letter's headers. */
  const reportsOf = async (
    name: string,
    settings: Partial<SettingsInput>,
    callback: (value: { pan: string }) => void = ({ pan: read }) => {
      throw new Error(`refused: ${read}`)
    },
  ): Promise<string> => {
    const cards = topic(`${name}-cards`, { key: string, value: z.object({ pan: z.string() }) })
    const letters = topic(`${name}-letters`, { value: bytes })
    await local.client.create(cards, letters)
    await local.client.writeBytes(cards.name, [
      { key: utf8Encode(`key-${pan}${forged}`), value: utf8Encode(`{"pan":"${pan}","cvv":"123"${forged}`) },
      { key: utf8Encode(pan), value: utf8Encode(JSON.stringify({ pan: `ok ${forged}` })) },
    ])
    const reports: string[] = []
    const write = (line: string): void => void reports.push(line.slice(0, -1))
    const lines = standardErrorLogger({ level: 'debug', write })
    const all =
      (level: keyof Logger) =>
      (fields: object, message: string): void => {
        lines[level](fields, message)
        reports.push(inspect(fields, { depth: 20 }).replaceAll('\n', ' '))
      }
    const logger: Logger = { debug: all('debug'), info: all('info'), warn: all('warn'), error: all('error') }
    const program = topology(name, (builder) => {
      builder.stream(cards).forEach(({ value }) => callback(value))
    })
    const application = await start(
      program,
      {
        bootstrapServers: local.broker.bootstrapServers,
        stateDirectory: join(local.folder, name),
        deserializationFailure: 'deadLetter',
        processingFailure: 'deadLetter',
        deadLetterTopic: letters.name,
        ...settings,
      },
      {
        logger,
        onWarning: (message, fields) => void reports.push(message, inspect(fields).replaceAll('\n', ' ')),
      },
    )
    const written = await local.client.readUntil(letters, (records) => records.length === 2)
    reports.push(JSON.stringify(application.health), JSON.stringify(application.metrics))
    await application.close()
    const headers = written
      .flatMap((each) => each.headers)
      .map(([header, value]) => [header, value === null ? '' : utf8Decode(value)])
    for (const [header, value] of headers)
      if (header === '__streams.errors.message') reports.push(value as string)
    const stacks = headers
      .filter(([header]) => header === '__streams.errors.stacktrace')
      .map(([, value]) => value)
    return [...reports, ...stacks.map((stack) => (stack as string).replaceAll('\n    at', ' at'))].join('\n')
  }

  it('is reported by its place, and nowhere by what it holds', async () => {
    const reports = await reportsOf('withheld', {})
    expect(reports).toContain('the value is not JSON (topic withheld-cards, partition 0, offset 0, node')
    expect(reports).toContain('refused: ok \\u001b[2J FAKE')
    expect(reports).not.toContain(pan)
    expect(reports).not.toContain('cvv')
    expect(reports).not.toContain('\u001b')
    expect(reports).not.toMatch(/^FAKE/m)
  })

  it.each<[string, string, (value: { pan: string }) => void]>([
    [
      'a cause',
      'caused',
      () => {
        try {
          JSON.parse(`x${pan}`)
        } catch (cause) {
          throw new Error('refused', { cause })
        }
      },
    ],
    ['an assertion', 'asserted', (value) => deepStrictEqual({ ...value, pan }, { pan: '' })],
    ['an operator', 'operated', () => void (undefined as unknown as Record<string, number>)[pan]],
  ])('is not quoted by %s of its failure', async (_what, name, callback) => {
    const reports = await reportsOf(name, {}, callback)
    expect(reports).toContain('topic')
    expect(reports).not.toContain(pan.slice(0, 9))
  })

  it('is quoted in logs, warnings and dead letters with logRecordContents, on one line', async () => {
    const reports = await reportsOf('shown', { logRecordContents: true })
    expect(reports).toContain(
      String.raw`value "{\"pan\":\"${pan}\",\"cvv\":\"123\"\u001b[2J\nFAKE: shop: running"`,
    )
    expect(reports).not.toContain('\u001b')
    expect(reports).not.toMatch(/^FAKE/m)
  })
})

describe('a failure that is no fault', () => {
  const failing = (): never => {
    try {
      JSON.parse(`x${pan}`)
    } catch (cause) {
      throw new Error('refused', { cause })
    }
    throw new Error('it is JSON')
  }

  /** What a logger gets of a failure, and of a listener that fails. */
  const logged = (logRecordContents: boolean): string => {
    const events: string[] = []
    const log = (fields: object, message: string): void =>
      void events.push(`${message} ${inspect(fields, { depth: 20 }).replaceAll(/\n\s+at .*/g, '')}`)
    const application = new ApplicationLog({
      application: 'shop',
      logger: { debug: log, info: log, warn: log, error: log },
      listener: { onState: failing },
      logRecordContents,
    })
    application.listener.onState?.('running')
    try {
      failing()
    } catch (failure) {
      application.failed({ failure, fields: {}, isHandled: true })
    }
    return events.join('\n')
  }

  it('is logged without what its causes quote', () => {
    const events = logged(false)
    expect(events).toContain('the application has failed: refused')
    expect(events).toContain('onState has failed: refused')
    expect(events).toContain('[cause]: SyntaxError: the text is not valid JSON')
    expect(events).not.toContain(pan.slice(0, 9))
  })

  it('is logged with it with logRecordContents', () => {
    const events = logged(true)
    expect(events).toContain('the application has failed: refused (record contents: error "Unexpected')
    expect(events).toContain('onState has failed: refused (record contents: error "Unexpected')
  })
})
