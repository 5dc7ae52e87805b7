import { Observable } from 'rxjs'
import type { AnyRecord } from '../topology/node.ts'
import type { Watcher } from './ports.ts'

/**
 * Lets a watcher see what enters and leaves the nodes of a task. A task without a watcher is wired without any of this,
 * so that only who asks for an explanation pays for it.
 */
export const watchInput = (
  watcher: Watcher | undefined,
  node: string,
  source: Observable<AnyRecord>,
): Observable<AnyRecord> =>
  watcher === undefined
    ? source
    : around(
        source,
        (record) => watcher.enters(node, record),
        () => watcher.left(node),
      )

/** The same for what a node hands on; the node below processes it in between. */
export const watchOutput = (
  watcher: Watcher | undefined,
  node: string,
  records: Observable<AnyRecord>,
): Observable<AnyRecord> =>
  watcher === undefined
    ? records
    : around(
        records,
        (record) => watcher.emits(node, record),
        () => watcher.emitted(node),
      )

const around = (
  source: Observable<AnyRecord>,
  before: (record: AnyRecord) => void,
  after: () => void,
): Observable<AnyRecord> =>
  new Observable((subscriber) =>
    source.subscribe((record) => {
      before(record)
      try {
        subscriber.next(record)
      } finally {
        after()
      }
    }),
  )
