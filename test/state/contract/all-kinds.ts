import { describeGolden } from './golden.ts'
import { describeJoinWindowStore } from './join-window.ts'
import { describeKeyValueStores } from './key-value.ts'
import { describeLife } from './life.ts'
import { describePuts } from './puts.ts'
import { describeSessionStore } from './session.ts'
import type { Subject } from './subject.ts'
import { describeVersionedStore } from './versioned.ts'
import { describeWindowStore } from './window.ts'

/** The one contract that every implementation is held to. */
export const describeAllKinds = (subject: Subject): void => {
  describeGolden(subject)
  describeLife(subject)
  describePuts(subject)
  describeKeyValueStores(subject)
  describeVersionedStore(subject)
  describeWindowStore(subject)
  describeJoinWindowStore(subject)
  describeSessionStore(subject)
}
