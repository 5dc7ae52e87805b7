/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export const shutdownSignal = (): {
  readonly signal: Promise<NodeJS.Signals>
  readonly dispose: () => void
} => {
  let dispose = (): void => {}
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    let seen = false
    const onSignal = (name: NodeJS.Signals): void => {
      if (seen) process.exit(name === 'SIGINT' ? 130 : 143)
      seen = true
      resolve(name)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    dispose = () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    }
  })
  return { signal, dispose }
}
