import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/**
 * Runs a command in the place of this process: the child has its input and output, gets the signals that ask this process
 * to end, and decides when and with which exit code it ends.
 */
export const passOn = (command, args) => {
  const child = spawn(command, args, {
    stdio: 'inherit',
    // A wrapper that is killed takes the command with it (end-with-parent.js).
    env: { ...process.env, MILLRACE_PARENT: String(process.pid) },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
    process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`millrace: ${command} cannot be started: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (status, signal) => process.exit(status ?? 128 + constants.signals[signal]))
}
