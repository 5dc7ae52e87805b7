import type { SettingsInput } from '../../../src/app/settings.ts'

/** What a process of the group is given: the settings of an application. */
export type MemberSettings = SettingsInput

/** What a process of the group tells, a line each. */
export type Telling =
  | { readonly kind: 'state'; readonly state: string; readonly tasks: readonly string[] }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string }
  | ({ readonly kind: 'restore' } & RestoreTelling)

export interface RestoreTelling {
  readonly store: string
  readonly partition: number
  /** Where the state on disk left off. */
  readonly startingOffset: number
  readonly endingOffset: number
  readonly restoredRecords: number
  readonly remainingRecords: number
}

export type TimedTelling = Telling & { readonly atMs: number }
