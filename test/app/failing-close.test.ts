import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Application, Logger, Stream } from '../../src/index.ts'
import { start, string, topic, topology } from '../../src/index.ts'
import { useLocalBroker } from '../support/local-broker.ts'

const fail = (text: string) => (): never => {
  throw new Error(text)
}
const idle = { process: () => {} }

describe('an application whose end fails', () => {
  const local = useLocalBroker()

  const run = async (
    name: string,
    define: (stream: Stream<string, string>) => void,
    processingGuarantee: 'at_least_once' | 'exactly_once' = 'at_least_once',
  ): Promise<Application & { readonly errors: readonly string[] }> => {
    const input = topic(`${name}-input`, { value: string })
    await local.client.create(input)
    const errors: string[] = []
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (_, message) => void errors.push(message),
    }
    const application = await start(
      topology(name, (builder) => define(builder.stream(input))),
      {
        bootstrapServers: local.broker.bootstrapServers,
        stateDirectory: join(local.folder, name),
        processingGuarantee,
      },
      { logger },
    )
    await local.client.write(input, [{ key: 'k', value: 'v' }])
    return Object.assign(application, { errors })
  }

  it.each(['at_least_once', 'exactly_once'] as const)(
    'rejects with the failure of a record whose asynchronous work ends in it: %s',
    async (processingGuarantee) => {
      const work = Promise.withResolvers<never>()
      const name = `late-${processingGuarantee.replaceAll('_', '-')}`
      const application = await run(
        name,
        (stream) => stream.mapAsync(() => work.promise).forEach(() => {}),
        processingGuarantee,
      )
      await expect.poll(() => application.metrics.processedRecords).toBe(1)
      const closed = application.close()
      await new Promise((resolve) => setTimeout(resolve, 100))
      work.reject(new Error('too late'))
      const failure = {
        message: expect.stringContaining('too late'),
        place: { topic: `${name}-input`, partition: 0, offset: 0, node: 'mapAsync-0001' },
      }
      await expect(closed).rejects.toMatchObject(failure)
      await expect(application.done).rejects.toMatchObject(failure)
      expect(application.state).toBe('failed')
      expect(application.errors).toEqual([expect.stringContaining('the application has failed: too late')])
      expect(
        [...(await local.client.admin.groupOffsets(name)).values()].map(({ offset }) => offset),
      ).not.toContain(1)
    },
  )

  it('rejects with what the close of a processor throws, and names the node', async () => {
    const application = await run('closing', (stream) =>
      stream.process(() => ({ ...idle, close: fail('not closed') })),
    )
    await application.waitFor('running')
    const failure = { code: 'PROCESSOR_FAILED', place: { node: 'process-0001' } }
    await expect(application.close()).rejects.toMatchObject(failure)
    expect(application.failure).toMatchObject(failure)
  })

  it('names the node whose supplier throws', async () => {
    const application = await run('supplying', (stream) => stream.process(fail('not supplied')))
    await expect(application.waitFor('running')).rejects.toMatchObject({
      code: 'PROCESSOR_FAILED',
      message: expect.stringMatching(/the supplier of 'process-0001' has failed: not supplied/),
    })
    await application.close()
  })
})
