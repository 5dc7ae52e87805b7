/**
 * `npm run audit`: asks the registry about the packages that users of Millrace install. Known vulnerabilities and wrong
 * signatures fail it. A registry that does not answer such questions is reported as `NOT CHECKED`, and fails nothing.
 */
import { spawnSync } from 'node:child_process'

const checks = [
  { what: 'known vulnerabilities', args: ['audit', '--omit', 'dev', '--json'], found: /"vulnerabilities"/ },
  { what: 'registry signatures', args: ['audit', 'signatures', '--json'], found: /"invalid"|"missing"/ },
]
const timeoutMs = 20_000

for (const { what, args, found } of checks) {
  const { status, stdout, error } = spawnSync('npm', args, {
    encoding: 'utf8',
    timeout: timeoutMs,
    shell: process.platform === 'win32',
  })
  if (status === 0) console.log(`${what}: none is wrong`)
  else if (status !== null && found.test(stdout)) {
    console.log(`${what}: FAILED\n${stdout}`)
    process.exitCode = 1
  } else console.log(`${what}: NOT CHECKED, the registry gives no answer (${reasonOf(stdout, error)})`)
}

function reasonOf(stdout: string, error: Error | undefined): string {
  if (error !== undefined) return `none within ${timeoutMs} ms`
  const [line] = /"(?:message|summary)": *"[^"]+"/.exec(stdout) ?? []
  return line?.replace(/^"\w+": *"|"$/g, '') ?? 'npm names no reason'
}
