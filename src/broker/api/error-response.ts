import type { ApiSchema, Fields } from '../protocol/schema.ts'

/**
 * The response that says one error for everything that was asked: error fields get the code, lists that the request
 * has too are answered item by item, and names that both sides share are copied.
 */
export const errorResponse = (schema: ApiSchema, request: unknown, errorCode: number): unknown =>
  fill(schema.response, request, errorCode)

/** What fields of responses are called in requests, where it is something else. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  responses: ['topics', 'topicData', 'resources', 'topicNames'],
  partitionResponses: ['partitionData'],
  partitionIndex: ['partition'],
  partitions: ['partitionIndexes'],
  results: ['resources', 'topics', 'groupsNames'],
  coordinators: ['coordinatorKeys'],
  resultsByTransaction: ['transactions'],
  topicResults: ['topics'],
  resultsByTopicV3AndBelow: ['v3AndBelowTopics'],
  resultsByPartition: ['partitions'],
  transactionStates: ['transactionalIds'],
}

/** Fields that name an item; where the request lists bare numbers or names, the item is their value. */
const NAMING = new Set(['name', 'partitionIndex', 'key', 'groupId', 'transactionalId'])

const fill = (fields: Fields, source: unknown, errorCode: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, valueOf(name, field, source, errorCode)]),
  )

const valueOf = (name: string, field: Fields[string], source: unknown, errorCode: number): unknown => {
  const head = typeof field === 'string' ? field : field[0]
  if (/errorCode$/i.test(name)) return errorCode
  const given = lookUp(source, name)
  if (typeof field === 'string') return isOf(head, given) ? given : neutral(head)
  if (!head.startsWith('array')) return undefined
  return Array.isArray(given) ? given.map((item) => fill(field[1], item, errorCode)) : []
}

const lookUp = (source: unknown, name: string): unknown => {
  if (source === null || typeof source !== 'object') return NAMING.has(name) ? source : undefined
  const record = source as Record<string, unknown>
  const known = [name, ...(ALIASES[name] ?? [])].find((candidate) => filled(record[candidate]))
  return known === undefined ? undefined : record[known]
}

/** A list that this version does not use is empty, and another name holds what was asked. */
const filled = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)

const isOf = (head: string, value: unknown): boolean =>
  /^(string|uuid)/.test(head)
    ? typeof value === 'string'
    : head.startsWith('int') && typeof value === 'number'

/** A value that says nothing; undefined lets the codec take the field's own. */
const neutral = (head: string): unknown => {
  const [type = ''] = head.split(' ')
  if (head.includes(' ') || type === 'uuid') return undefined
  if (type.endsWith('?')) return null
  if (type.endsWith('[]')) return []
  if (type === 'string') return ''
  if (type === 'boolean') return false
  return type === 'bytes' || type === 'records' ? new Uint8Array(0) : 0
}
