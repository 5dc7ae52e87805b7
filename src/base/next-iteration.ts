/** Resolves in the next iteration of the event loop, after the timers and the sockets that are due. */
export const nextIteration = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
