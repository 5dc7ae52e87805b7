import { globSync, readFileSync } from 'node:fs'
import { tableOf } from '../bench/table.ts'
import { npmCommand } from '../test/support/command-options.ts'
import { houseReport } from './house-report.ts'

/** `npm run house`: prints how large and how entangled the source files are. */
const command = npmCommand('house')
  .description(
    'Prints the lengths of files and functions, the mutable fields of classes, the imports between rooms (folders), ' +
      'the import cycles, and how many files each of the latest additions takes.',
  )
  .argument('[folder]', 'the folder to measure', 'src')
  .parse()

const folder = (command.args[0] ?? 'src').replaceAll('\\', '/').replace(/\/+$/, '')
const files = globSync(`${folder}/**/*.ts`)
  .toSorted()
  .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
if (files.length === 0) command.error(`error: there are no .ts files in ${folder}`)
// One write, so that `| head` does not close the pipe between two.
const tables = houseReport(files, folder).map(
  ({ title, head, rows }) => `${title}\n\n${tableOf(head, rows, 'text')}\n`,
)
process.stdout.write(tables.join('\n'))
