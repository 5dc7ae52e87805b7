import { Fault } from '../base/fault.ts'

/** No task with that partition of the store runs in this process; `elsewhere` is `host:port` of the one where it does. */
export const storeNotHere = (
  { store, partition }: { readonly store: string; readonly partition: number },
  elsewhere?: string,
): Fault =>
  new Fault({
    code: 'STORE_NOT_HERE',
    actor: 'retry',
    message: 'this process does not have that partition of the store',
    remedy: elsewhere === undefined ? 'ask again when it has been assigned' : `ask ${elsewhere}`,
    place: { store, partition },
  })
