import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Bytes } from '../../../src/base/bytes.ts'
import { messageOf } from '../../../src/base/fault.ts'
import type { Application, SettingsInput, StartOptions, Topic, Topology } from '../../../src/index.ts'
import { bytes, nullable, start, topic } from '../../../src/index.ts'
import { kafkaBrokers, uniqueName } from '../../support/kafka/kafka-brokers.ts'

/** Applications that meet records which fail, on a real broker, with state in a folder of the test file. */
const folder = mkdtempSync(join(tmpdir(), 'millrace-policies-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

export const encode = (text: string): Bytes => new TextEncoder().encode(text)
export const decode = (value: Bytes | null | undefined): string =>
  new TextDecoder().decode(value ?? undefined)

/** Runs an application until `done`; resolves with what `done` found. */
export const during = async <T>(
  program: Topology,
  settings: Partial<SettingsInput>,
  done: (application: Application) => Promise<T>,
  options: StartOptions = {},
): Promise<T> => {
  const given = { bootstrapServers: kafkaBrokers(), stateDirectory: join(folder, uniqueName('state')) }
  const application = await start(program, { ...given, ...settings }, options)
  try {
    return await done(application)
  } finally {
    await application.close()
  }
}

/** Waits until an application has failed; resolves with what its user reads. */
export const failureOf = async (application: Application): Promise<string> => {
  await application.waitFor('failed').catch(() => undefined)
  await expect.poll(() => application.state).toBe('failed')
  return messageOf(application.failure)
}

/** A topic as the bytes that it holds. */
export const raw = (name: string): Topic<Bytes | null, Bytes> =>
  topic(name, { key: nullable(bytes), value: bytes })
