#!/usr/bin/env node
/**
 * The command `millrace`. It needs Node 24 and finds it: where it was started by an older one, it starts itself again
 * with the Node 24 that a checkout brings along. A checkout runs its TypeScript as it is, an installed package what was
 * built from it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const major = Number(process.versions.node.split('.')[0])

if (major < 24) {
  const node = at('node_modules/node/bin/node')
  if (!existsSync(node)) {
    console.error(
      `millrace: Node 24 or newer is needed, this is ${process.version}; install it from nodejs.org`,
    )
    process.exit(1)
  }
  const { status, signal } = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.exit(status ?? (signal === 'SIGINT' ? 130 : 143))
}

// From the second start on, what was compiled is read: a third less CPU until the first record, and less memory.
module.enableCompileCache()
const source = at('src/cli/main.ts')
await import(existsSync(source) ? source : at('cli/main.js'))
