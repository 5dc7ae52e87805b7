/**
 * npm and npx run a command below a shell, and a signal ends npm and that shell only. The command would stay behind, so it
 * takes the end of its parent as SIGTERM. A shell that a person starts it from may end, as with `nohup`: there it goes on.
 */
const { ppid } = process
const { npm_command: npm, MILLRACE_PARENT: wrapper } = process.env

if (npm !== undefined || wrapper === String(ppid))
  setInterval(() => {
    if (process.ppid !== ppid) process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
