import { Fault, isFault, messageOf, printableStackOf } from '../base/fault.ts'
import type { FaultActor, FaultPlace } from '../base/fault.ts'
import type { RecordContents } from '../base/record-contents.ts'
import type { IsolationLevel } from '../kafka/list-offsets.ts'
import type { ApplicationHealth } from '../runtime/application-health.ts'
import type { ApplicationState, EventFields, RuntimeListener } from '../runtime/runtime-settings.ts'
import type { CloseOptions } from '../runtime/application-member.ts'
import type { PageRequest, StorePage } from '../state/store-query.ts'
import type { UncaughtFailureResponse } from '../runtime/uncaught-failure.ts'
import type { MemberPlace, MemberSettings } from './create-member.ts'
import type { MemberView } from './supervised-member.ts'

/**
 * What the main thread and a worker thread say to each other. All of it is plain data, as it is copied; errors are
 * carried as what they say.
 */
export interface ThreadStart {
  readonly module: string
  readonly topology: string
  readonly settings: MemberSettings
  readonly place: MemberPlace
}

export type ToThread =
  | { readonly type: 'start' | 'pause' | 'resume' }
  | { readonly type: 'close'; readonly options: CloseOptions }
  | { readonly type: 'failureResponse'; readonly response: UncaughtFailureResponse }
  | { readonly type: 'stopApplication'; readonly reason: string }
  | {
      readonly type: 'read'
      readonly id: number
      readonly request: PageRequest
      readonly isolation: IsolationLevel
    }

export type FromThread =
  | { readonly type: 'state'; readonly state: ApplicationState; readonly failure: ErrorText | undefined }
  | { readonly type: 'status'; readonly status: ThreadStatus }
  | { readonly type: 'warning'; readonly message: string; readonly fields: EventFields | undefined }
  | { readonly type: 'restore'; readonly progress: RestoreLine }
  | { readonly type: 'page'; readonly id: number; readonly page: StorePage | ErrorText }
  | { readonly type: 'started' | 'closed'; readonly error: ErrorText | undefined }

/** How a thread's member is, as of the last time it said so. */
export type ThreadStatus = Omit<MemberView, 'failure'>

export type RestoreLine = Parameters<NonNullable<RuntimeListener['onRestore']>>[0]

const noHealth: ApplicationHealth = {
  state: 'starting',
  connected: false,
  tasks: [],
  standbyTasks: [],
  restoring: [],
  lastCommitMs: undefined,
  inputs: [],
}

export const noStatus = (metrics: MemberView['metrics']): ThreadStatus => ({
  metrics,
  health: noHealth,
  tasks: [],
  taskCounts: undefined,
  metadata: [],
  inputTopics: { external: [], internal: [] },
  internalTopics: [],
})

/** An error as data. */
export interface ErrorText {
  readonly message: string
  readonly stack: string | undefined
  readonly fault:
    | {
        readonly code: string
        readonly actor: FaultActor
        readonly place: FaultPlace
        readonly remedy: string | undefined
        readonly contents: RecordContents
      }
    | undefined
}

export const errorTextOf = (error: unknown): ErrorText => ({
  message: messageOf(error),
  stack: printableStackOf(error),
  fault: isFault(error)
    ? {
        code: error.code,
        actor: error.actor,
        place: error.place,
        remedy: error.remedy,
        contents: error.contents,
      }
    : undefined,
})

/** The error again; the message of a fault names its place and remedy already. */
export const errorOf = ({ message, stack, fault }: ErrorText): Error => {
  const error =
    fault === undefined
      ? new Error(message)
      : Object.assign(
          new Fault({ code: fault.code, actor: fault.actor, message, contents: fault.contents }),
          {
            place: fault.place,
            remedy: fault.remedy,
          },
        )
  return stack === undefined ? error : Object.assign(error, { stack })
}
