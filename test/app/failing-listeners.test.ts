import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApplicationLog } from '../../src/app/application-log.ts'
import type { Logger, StartOptions } from '../../src/index.ts'
import { replay, start, startThreads, string, topic, topology } from '../../src/index.ts'

const fail = (): never => {
  throw new Error('not today')
}
const rejected = (): Promise<never> => Promise.reject(new Error('not today'))

const ways: readonly (readonly [string, () => unknown])[] = [
  ['throws', fail],
  ['returns a promise that rejects', rejected],
]

/** A logger that notes its lines. */
const noting = (): { logger: Logger; lines: string[] } => {
  const lines: string[] = []
  const log =
    (level: string) =>
    (_fields: object, message: string): void =>
      void lines.push(`${level} ${message}`)
  return { lines, logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') } }
}

describe('a listener that fails', () => {
  it.each(ways)('is logged and stops nothing: it %s', async (_what, listener) => {
    const { logger, lines } = noting()
    const log = new ApplicationLog({
      application: 'app',
      logger,
      listener: { onState: listener, onWarning: listener, onRestore: listener },
    })
    log.listener.onState?.('running')
    log.listener.onWarning?.('a warning')
    log.listener.onRestore?.({ store: 's', partition: 0, restoredRecords: 1, remainingRecords: 0 } as never)
    await Promise.resolve()
    await Promise.resolve()
    expect(lines.filter((line) => line.startsWith('error')).toSorted()).toEqual([
      'error onRestore has failed: not today',
      'error onState has failed: not today',
      'error onWarning has failed: not today',
    ])
  })
})

describe('a logger that fails', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    process.exitCode = undefined
  })

  it.each(ways)('leaves its events to standard error: it %s', async (_what, method) => {
    const lines: string[] = []
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => (lines.push(String(line)), true))
    const logger = { debug: method, info: method, warn: method, error: method }
    const log = new ApplicationLog({ application: 'app', logger, listener: {} })
    log.failed({ failure: new Error('a bad record'), fields: {}, isHandled: true })
    await Promise.resolve()
    await Promise.resolve()
    expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'ERROR app: the logger has failed: not today\n',
      'ERROR app: the application has failed: a bad record\n',
    ])
  })
})

describe('the options of a start are checked', () => {
  const idle = topology('idle', (builder) =>
    builder.stream(topic('input', { value: string })).forEach(() => {}),
  )
  const settings = { bootstrapServers: 'localhost:1' }

  it.each([
    [{ logger: {} }, /no method debug, info, warn, error/],
    [{ logger: { error: () => {} } }, /no method debug, info, warn;/],
    [{ logger: true }, /no method/],
    [{ logger: null }, /no method/],
    [{ onState: 'running' }, /onState is the text 'running'/],
    [{ onFailedRecord: 'skip' }, /onFailedRecord is the text 'skip'/],
    [{ onWarnings: () => {} }, /did you mean 'onWarning'/],
  ])('%j', async (options, message) => {
    const given = options as unknown as StartOptions
    await expect(start(idle, settings, given)).rejects.toThrow(message)
    await expect(replay(idle, settings, { replayId: 'again', ...given })).rejects.toThrow(message)
  })

  it('a replay under the id of its application is refused', async () => {
    await expect(replay(idle, settings, { replayId: 'idle' })).rejects.toMatchObject({
      code: 'REPLAY_ID_INVALID',
    })
  })

  it('also those of threads, which take no onFailedRecord', async () => {
    const options = { threads: 2, onFailedRecord: () => undefined }
    await expect(startThreads({ module: 'file:///none.ts' }, settings, options)).rejects.toThrow(
      /startThreads has no option 'onFailedRecord'/,
    )
  })
})
