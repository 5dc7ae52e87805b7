import type { Bytes } from '../base/bytes.ts'
import { utf8Decode, utf8Encode } from '../base/bytes.ts'
import type { TopicSizes } from './application-plan.ts'
import type { TaskId } from './assign-tasks.ts'

/**
 * What members and their leader send each other as user data of the group protocol: JSON with a version. A member of a
 * newer version counts as one that holds nothing; of version 1, only the tasks that it runs are known. One without a
 * version is no Millrace application: it is dealt no tasks, as it would run none.
 *
 * Any client that may join the group can send any bytes. What is not as described here is left out, never trusted.
 */
export interface MemberData {
  /** Distinguishes copies on one process, or one machine's folder, from copies elsewhere. */
  readonly processId: string
  /** The tasks that run there. */
  readonly tasks: readonly TaskId[]
  /** The tasks whose state is there although they do not run, with how many changelog records it is behind. */
  readonly standbys: ReadonlyMap<TaskId, number>
  /** `host:port` of its interactive queries. */
  readonly endpoint?: string | undefined
  /** Why the whole application is to stop; undefined where it is not. */
  readonly stop?: string | undefined
  /** It is about to leave, and stays only until others are ready for what it has. */
  readonly leaving?: boolean
}

/** What the leader has for one member, beside its partitions. */
export interface AssignmentData {
  /** The tasks that its partitions are; for tools that inspect the group from outside. */
  readonly tasks?: readonly TaskId[] | undefined
  /** The tasks whose state this member keeps up to date without running them. */
  readonly standbys: readonly TaskId[]
  /** Those whose state it builds up in order to run them: it asks for a rebalance once they have caught up. */
  readonly warmups: readonly TaskId[]
  /** True where another round follows as soon as others have given up what moves. */
  readonly followUp: boolean
  /** How many members there are. */
  readonly members: number
  /** Who serves queries for which tasks, over the whole group. */
  readonly endpoints: readonly EndpointTasks[]
  /** The topics that the leader has planned for, with their partitions. */
  readonly sizes?: TopicSizes | undefined
  /** Why every member is to stop; undefined where none is. */
  readonly stop?: string | undefined
}

export interface EndpointTasks {
  readonly endpoint: string
  readonly active: readonly TaskId[]
  readonly standby: readonly TaskId[]
}

export const encodeMemberData = ({ standbys, ...data }: MemberData): Bytes =>
  encode({ version: 2, ...data, standbys: Object.fromEntries(standbys) })

export const decodeMemberData = (userData: Bytes | null): MemberData => {
  const { version, processId, tasks, standbys, endpoint, leaving, stop } = decode(userData)
  if (typeof version !== 'number') return foreignData
  if (version !== 1 && version !== 2) return { ...foreignData }
  return {
    processId: typeof processId === 'string' ? processId : '',
    tasks: texts(tasks),
    standbys: numbers(standbys),
    endpoint: typeof endpoint === 'string' ? endpoint : undefined,
    stop: typeof stop === 'string' ? stop : undefined,
    leaving: leaving === true,
  }
}

/** True where no Millrace application has written it, of whatever version: such a member would run no task. */
export const isForeign = (data: MemberData): boolean => data === foreignData

export const encodeAssignmentData = ({ sizes, ...data }: AssignmentData): Bytes =>
  encode({ version: 2, ...data, sizes: sizes === undefined ? undefined : Object.fromEntries(sizes) })

export const decodeAssignmentData = (userData: Bytes | null): AssignmentData => {
  const { version, tasks, standbys, warmups, followUp, members, endpoints, sizes, stop } = decode(userData)
  if (version !== 2) return nothingSaid
  return {
    tasks: tasks === undefined ? undefined : texts(tasks),
    standbys: texts(standbys),
    warmups: texts(warmups),
    followUp: followUp === true,
    stop: typeof stop === 'string' ? stop : undefined,
    members: isCount(members) ? (members as number) : 1,
    sizes: sizes === undefined ? undefined : numbers(sizes),
    endpoints: Array.isArray(endpoints) ? endpoints.flatMap(endpointTasksIn) : [],
  }
}

/** Of a member that no one here understands; compared by identity. */
const foreignData: MemberData = { processId: '', tasks: [], standbys: new Map() }
/** An assignment without anything beside its partitions. */
export const nothingSaid: AssignmentData = {
  standbys: [],
  warmups: [],
  followUp: false,
  members: 1,
  endpoints: [],
}

const encode = (data: Readonly<Record<string, unknown>>): Bytes => utf8Encode(JSON.stringify(data))

const decode = (userData: Bytes | null): Readonly<Record<string, unknown>> => {
  try {
    const data: unknown = JSON.parse(utf8Decode(userData ?? new Uint8Array()))
    return typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

/** Nothing where it names no endpoint. */
const endpointTasksIn = (entry: unknown): readonly EndpointTasks[] => {
  const { endpoint, active, standby } = (entry ?? {}) as Readonly<Record<string, unknown>>
  return typeof endpoint === 'string' ? [{ endpoint, active: texts(active), standby: texts(standby) }] : []
}

/** Counts by name; what is no count is left out. */
const numbers = (byName: unknown): ReadonlyMap<string, number> =>
  new Map(Object.entries(byName ?? {}).filter((each): each is [string, number] => isCount(each[1])))

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const texts = (list: unknown): readonly string[] =>
  Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : []
