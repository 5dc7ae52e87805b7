import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { settingsSchema } from '../../src/app/settings.ts'

/** docs/settings.md names every setting of the schema, with its default and its unit, and none besides. */
interface Described {
  readonly default?: string | number | boolean
  readonly properties?: Readonly<Record<string, Described>>
}

const schema = z.toJSONSchema(settingsSchema, { io: 'input' }) as Described

const unitOf = (name: string): string => (name.endsWith('Ms') ? 'ms' : name.endsWith('Bytes') ? 'bytes' : '')

const rowsOf = ({ properties = {} }: Described, prefix = ''): readonly string[] =>
  Object.entries(properties).flatMap(([name, each]) => {
    const nested = each.properties === undefined ? [] : rowsOf(each, `${prefix}${name}.`)
    if (nested.length > 0) return nested
    const usual = each.default === undefined ? '' : `\`${each.default}\``
    return [`${prefix}${name} | ${usual} | ${unitOf(name)}`]
  })

const documented = [
  ...readFileSync('docs/settings.md', 'utf8').matchAll(
    /^\| `([^`]+)` *\| *([^|]*?) *\| *([^|]*?) *\| *(\S.*?) *\|$/gm,
  ),
].map(([, name, usual, unit]) => `${name} | ${usual} | ${unit}`)

it('docs/settings.md names every setting with its default and its unit', () => {
  expect(documented.length).toBeGreaterThan(30)
  expect(documented).toEqual(rowsOf(schema))
})
