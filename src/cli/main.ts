import { runCommand } from './program.ts'

/** The command `millrace`: everything it does is said in program.ts. */
process.exitCode = await runCommand(process.argv.slice(2))
