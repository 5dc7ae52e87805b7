import { backgroundTimer, systemClock } from '../base/system-clock.ts'

/**
 * Resolves at the first SIGINT or SIGTERM, or when the reader of the output is gone; a later SIGINT or SIGTERM ends the
 * process at once. One Ctrl-C may arrive twice, from the terminal and from a parent that passes it on, so what follows
 * within half a second is the same one.
 */
export const shutdownSignal = (): {
  readonly signal: Promise<void>
  readonly dispose: () => void
} => {
  let dispose = (): void => {}
  const signal = new Promise<void>((resolve) => {
    let firstMs: number | undefined
    const onSignal = (name: NodeJS.Signals): void => {
      const nowMs = systemClock.monotonicMs()
      firstMs ??= nowMs
      if (nowMs - firstMs > repeatedSignalMs) process.exit(name === 'SIGINT' ? 130 : 143)
      resolve()
    }
    for (const each of shutdownSignals) process.on(each, onSignal)
    waitingForReader.add(resolve)
    dispose = () => {
      for (const each of shutdownSignals) process.off(each, onSignal)
      waitingForReader.delete(resolve)
    }
  })
  return { signal, dispose }
}

const shutdownSignals = ['SIGINT', 'SIGTERM'] as const
const repeatedSignalMs = 500

/**
 * Called when the reader of the output is gone. A listener of SIGPIPE would be wrong: when its last listener is removed,
 * Node no longer ignores the signal, and the next closed connection ends the process.
 */
const waitingForReader = new Set<() => void>()

/**
 * A reader that closes the pipe (`| head`) has what it wants: commands that wait for a signal close as at one, and every
 * other command ends without an error.
 */
export const endWithReader = (): void => {
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    if (waitingForReader.size === 0) process.exit()
    for (const notify of waitingForReader) notify()
  }
  process.stdout.on('error', onError)
  process.stderr.on('error', onError)
}

/**
 * Ends a process whose command is done, in a second: what files of topologies have opened, such as connections to a database,
 * or a start that was given up, does not keep it. Output that is still being read does.
 */
export const endSoon = (): void => {
  backgroundTimer(() => (process.stdout.writableLength === 0 ? process.exit() : endSoon()), 1_000)
}
