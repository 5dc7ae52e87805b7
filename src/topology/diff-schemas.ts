import type { JsonSchema } from '../topic/serde.ts'
import type { TopologyDifference } from './difference.ts'
import { breaking, compatible } from './difference.ts'
import type { SchemaProblem } from './schema-compatibility.ts'
import { refusedBy, removedFields } from './schema-compatibility.ts'

/** What of a topic or store is compared: the names of its serdes, and the schemas of what is JSON. */
export interface Format {
  readonly key: string
  readonly value: string
  readonly keySchema?: JsonSchema | null
  readonly valueSchema?: JsonSchema | null
}

/** Where values of the two versions meet: `read` and `stored` values are old ones, `written` ones have old readers. */
export type Meeting = 'read' | 'written' | 'stored'

/** The differences of the parts whose bytes are JSON in both versions. */
export const schemaDifferences = (
  what: string,
  subject: string,
  old: Format,
  now: Format,
  meeting: Meeting,
): readonly TopologyDifference[] =>
  (['key', 'value'] as const).flatMap((part) => {
    const [before, after] = [old[`${part}Schema`], now[`${part}Schema`]]
    if (before == null || after == null) return []
    const differences = partDifferences(`the ${part}s of ${what}`, subject, before, after, meeting)
    const isSound = differences.every(({ effect }) => effect !== 'breaking')
    return part === 'key' && isSound && differences.length > 0
      ? keyDifferences(what, subject, before, after, differences)
      : differences
  })

/** A key is found by its bytes: a field that is always written, or never any more, makes another key of the same one. */
const keyDifferences = (
  what: string,
  subject: string,
  before: JsonSchema,
  after: JsonSchema,
  otherwise: readonly TopologyDifference[],
): readonly TopologyDifference[] => {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  const filledIn = [...now].filter(([path, isFilledIn]) => isFilledIn && !old.has(path)).map(([path]) => path)
  const gone = [...old.keys()].filter((path) => !now.has(path))
  const changed = [...filledIn, ...gone]
  if (changed.length === 0) return otherwise
  return [
    breaking(
      'SCHEMA_KEY_CHANGED',
      subject,
      `the keys of ${what} changed at ${changed.map((path) => `'${path}'`).join(', ')}, so the same key has other bytes: its rows, and its records in the same partition, are not found`,
      'make new fields optional without a default, and keep old ones; or give the topic or store a new name and rebuild it',
    ),
  ]
}

/** The fields of a schema of objects by path, each with whether a default fills it in. */
const fieldsOf = (schema: JsonSchema, path = ''): ReadonlyMap<string, boolean> => {
  const { properties = {} } = schema as { properties?: Readonly<Record<string, JsonSchema>> }
  return new Map(
    Object.entries(properties).flatMap(([name, field]) => {
      const fieldPath = path === '' ? name : `${path}.${name}`
      return [[fieldPath, 'default' in field] as const, ...fieldsOf(field, fieldPath)]
    }),
  )
}

/** True where both versions have a schema for the part, which says more than the names of its serdes. */
export const areBothJson = (part: 'key' | 'value', old: Format, now: Format): boolean =>
  old[`${part}Schema`] != null && now[`${part}Schema`] != null

const partDifferences = (
  what: string,
  subject: string,
  before: JsonSchema,
  after: JsonSchema,
  meeting: Meeting,
): readonly TopologyDifference[] => {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const problems = meeting === 'written' ? refusedBy(before, after) : refusedBy(after, before)
  const removed = removedFields(before, after).filter((path) => !problems.some((each) => each.path === path))
  const added = problems.filter(({ kind }) => kind === 'missing').map(({ path }) => path)
  const differences = [
    ...removed.map((path) =>
      breaking(
        'SCHEMA_FIELD_REMOVED',
        subject,
        `${what} no longer have the required field '${path}'${renamedTo(added)}`,
        removedRemedy(path, meeting),
      ),
    ),
    ...problems.map((problem) => problemDifference(what, subject, problem, meeting)),
  ]
  if (differences.length > 0) return differences
  return [
    compatible('SCHEMA_CHANGED', subject, `${what} have another schema, which reads what the old one wrote`),
  ]
}

const renamedTo = (added: readonly string[]): string =>
  added.length === 1 ? `; '${added[0]}' seems to be its new name` : ''

const removedRemedy = (path: string, meeting: Meeting): string =>
  meeting === 'written'
    ? `keep writing '${path}' until no version reads it`
    : `keep '${path}' as optional until no version needs it`

const problemDifference = (
  what: string,
  subject: string,
  { kind, path, message }: SchemaProblem,
  meeting: Meeting,
): TopologyDifference => {
  const field = path === '' ? '' : ` at '${path}'`
  const place =
    meeting === 'written' ? 'for those who read it by the old schema' : 'where the old version wrote it'
  const code = codes[kind]
  const remedy =
    meeting === 'written'
      ? 'write to a new topic, or change its readers first'
      : kind === 'missing' || kind === 'optional'
        ? `give '${path}' a default, or make it optional`
        : meeting === 'stored'
          ? 'accept both forms (a union), or give the store a new name and rebuild it'
          : 'accept both forms (a union), or read a new topic'
  return breaking(code, subject, `${what} changed${field}: ${message}, ${place}`, remedy)
}

const codes: Readonly<Record<SchemaProblem['kind'], string>> = {
  type: 'SCHEMA_TYPE_CHANGED',
  missing: 'SCHEMA_FIELD_REQUIRED',
  optional: 'SCHEMA_FIELD_REQUIRED',
  unexpected: 'SCHEMA_FIELD_REFUSED',
  constraint: 'SCHEMA_CONSTRAINT_CHANGED',
}
