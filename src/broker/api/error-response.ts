import type { ApiSchema, Fields } from '../protocol/schema.ts'

/**
 * The response that says one error for everything that was asked: error fields get the code, lists that the request
 * has under the same name are answered item by item, and names that both sides share are copied.
 */
export const errorResponse = (schema: ApiSchema, request: unknown, errorCode: number): unknown =>
  fill(schema.response, request, errorCode)

/** Responses that call a list of the request otherwise. */
const ALIASES: Readonly<Record<string, string>> = {
  responses: 'topics',
  partitionResponses: 'partitionData',
  partitionIndex: 'index',
  index: 'partitionIndex',
  results: 'resources',
  coordinators: 'coordinatorKeys',
  resultsByTopicV3AndBelow: 'v3AndBelowTopics',
  resultsByPartition: 'partitions',
}

const fill = (fields: Fields, source: unknown, errorCode: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, valueOf(name, field, source, errorCode)]),
  )

const valueOf = (name: string, field: Fields[string], source: unknown, errorCode: number): unknown => {
  const head = typeof field === 'string' ? field : field[0]
  if (/errorCode$/i.test(name)) return errorCode
  const given = lookUp(source, name)
  if (typeof field === 'string') return given ?? neutral(head)
  if (!head.startsWith('array')) return undefined
  return Array.isArray(given) ? given.map((item) => fill(field[1], item, errorCode)) : []
}

/** Where the request lists bare numbers or names, the item itself is the value. */
const lookUp = (source: unknown, name: string): unknown => {
  if (source === null || typeof source !== 'object')
    return /partition|index|name|key|group/i.test(name) ? source : undefined
  const record = source as Record<string, unknown>
  return record[name] ?? record[ALIASES[name] ?? name] ?? record['partition']
}

const neutral = (head: string): unknown => {
  const type = head.split(' ')[0] ?? ''
  if (head.includes(' ')) return undefined
  if (type.endsWith('?')) return null
  if (type.endsWith('[]')) return []
  if (type === 'string') return ''
  if (type === 'uuid') return undefined
  if (type === 'boolean') return false
  return type === 'bytes' || type === 'records' ? new Uint8Array(0) : 0
}
