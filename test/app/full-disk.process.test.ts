import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runToEnd } from '../support/run-process.ts'

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0
const module = join(import.meta.dirname, 'programs/full-disk.ts')

it.skipIf(!canMount)(
  'an application whose disk becomes full names the path, and loses nothing once there is room',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-full-'))
    const script = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" "$3" "$1"'
    const ended = await runToEnd(
      'unshare',
      ['-m', 'sh', '-c', script, 'sh', folder, process.execPath, module],
      { deadlineMs: 60_000 },
    )
    rmSync(folder, { recursive: true })
    expect(ended.stdout).toMatch(/failed: .*No space left/i)
    expect(ended.stdout).toContain(`the state in ${join(folder, 'full')}`)
    expect(ended.stdout).toContain('then running with all rows')
  },
)
