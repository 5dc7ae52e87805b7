import { readFileSync } from 'node:fs'

/**
 * npm and npx run a command below a shell, and a signal ends npm and that shell only, or npm alone. The command would stay
 * behind, so it takes the end of its parent, or of npm above that, as SIGTERM. A shell that a person starts it from may
 * end, as with `nohup`: there it goes on.
 */
const { ppid } = process
const { npm_command: npm, MILLRACE_PARENT: wrapper } = process.env

/** The process above a shell that npm started. Only Linux tells without another process. */
const aboveShell = () => {
  try {
    return /\((?:da|ba|z|k)?sh\) \S+ (\d+)/.exec(readFileSync(`/proc/${ppid}/stat`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

if (npm !== undefined || wrapper === String(ppid)) {
  const above = npm === undefined ? undefined : aboveShell()
  setInterval(() => {
    const isLeft = process.ppid !== ppid || (above !== undefined && aboveShell() !== above)
    if (isLeft) process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}
