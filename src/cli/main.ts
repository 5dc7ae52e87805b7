import { runCommand } from './program.ts'
import { endSoon, endWithReader } from './shutdown.ts'

/** The command `millrace`; program.ts defines what it does. */
endWithReader()
process.exitCode = await runCommand(process.argv.slice(2))
endSoon()
