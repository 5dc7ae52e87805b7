import type { SupervisedWorker } from '../supervised-worker.ts'
import type { Supervisor } from '../supervisor.ts'

/** What queries need of a running application. */
export type QueryHost = Pick<
  Supervisor<SupervisedWorker>,
  'topology' | 'state' | 'failure' | 'health' | 'metrics' | 'tasks' | 'storeDirectory' | 'readStore'
>
