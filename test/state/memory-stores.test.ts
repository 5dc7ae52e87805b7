import { describeAllKinds } from './contract/all-kinds.ts'
import { memorySubject } from './memory-subject.ts'

describeAllKinds(memorySubject)
