/**
 * What must not outlive this process (a broker, a container, a child) is ended with it, however it ends short of
 * SIGKILL. The actions are synchronous, since nothing else runs once a process is on its way out.
 */
const actions = new Set<() => void>()
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
let listening = false

/** Runs `action` when this process ends; the returned function forgets it. */
export const onProcessEnd = (action: () => void): (() => void) => {
  listen()
  actions.add(action)
  return () => void actions.delete(action)
}

const listen = (): void => {
  if (listening) return
  listening = true
  process.on('exit', runAll)
  for (const signal of signals) process.on(signal, () => endBy(signal))
}

const runAll = (): void => {
  for (const action of actions) {
    actions.delete(action)
    action()
  }
}

/** A listener takes away a signal's own effect; unless someone else listens too, it is given back. */
const endBy = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return
  runAll()
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
