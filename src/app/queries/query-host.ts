import type { SupervisedMember } from '../supervised-member.ts'
import type { Supervisor } from '../supervisor.ts'

/** What queries need of a running application. */
export type QueryHost = Pick<
  Supervisor<SupervisedMember>,
  'topology' | 'state' | 'failure' | 'health' | 'metrics' | 'tasks' | 'storeDirectory' | 'readStore'
>
