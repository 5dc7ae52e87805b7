import { lockDirectory } from '../../../src/files/directory-lock.ts'

/** Locks the directory of its argument, prints the outcome, and stays until it is ended. */
const lock = await lockDirectory(process.argv[2] as string)
console.log(lock.kind === 'locked' ? 'locked' : `taken by ${lock.holder.pid}`)
setInterval(() => {}, 1_000)
