import { describeAllKinds } from './contract/all-kinds.ts'
import { lmdbSubject } from './lmdb-subject.ts'

describeAllKinds(lmdbSubject('on LMDB, written at every commit', 0))
describeAllKinds(lmdbSubject('on LMDB, written when it is closed', 1_000))
