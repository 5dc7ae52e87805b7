import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { settingsSchema } from '../../src/app/settings.ts'
import { DEFAULT_SETTINGS } from '../../src/broker/settings.ts'

/** The limits of docs/security.md have the defaults of the settings that they name, and the paths of its tests exist. */
const page = readFileSync('docs/security.md', 'utf8')
const { properties = {} } = z.toJSONSchema(settingsSchema, { io: 'input' })

const limits = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| `(\w+)`[^|]*\| [^|]+ \|$/gm)].map(
  ([, what = '', usual = '', setting = '']) => ({ what: what.trim(), usual: usual.trim(), setting }),
)

const ofBroker = new Set(['maxBytes', 'connectionsMaxIdleMs'])

const factors: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  MiB: 1024 * 1024,
  GiB: 1024 ** 3,
}

const numberOf = (text: string): number => {
  const [, amount = '', unit = ''] = /^([\d,]+)(?: (\w+))?$/.exec(text) ?? []
  return Number(amount.replaceAll(',', '')) * (unit === '' ? 1 : (factors[unit] ?? Number.NaN))
}

it('the limits of docs/security.md have the defaults of their settings', () => {
  const ofApplications = limits.filter(({ setting }) => !ofBroker.has(setting))
  expect(ofApplications.length).toBeGreaterThan(10)
  expect(ofApplications.map(({ setting, usual }) => [setting, numberOf(usual)])).toEqual(
    ofApplications.map(({ setting }) => [setting, (properties[setting] as { default?: unknown }).default]),
  )
})

it('the idle timeout of the embedded broker in docs/security.md is its default', () => {
  const usual = limits.find(({ setting }) => setting === 'connectionsMaxIdleMs')?.usual ?? ''
  expect(numberOf(usual)).toBe(DEFAULT_SETTINGS.connectionsMaxIdleMs)
})

it('the tests that docs/security.md names exist', () => {
  const paths = [...page.matchAll(/`((?:test|src|docs)\/[^`]*)`/g)].map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(2)
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
})
