import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runToEnd } from '../support/run-process.ts'

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0
const module = join(import.meta.dirname, 'programs/full-disk.ts')

describe.skipIf(!canMount)('stores on a full disk', () => {
  it.each([
    ['opened', 'open', 0],
    ['written', 'write', 1],
  ])(
    'name the path when they are %s, and are as they were once there is room',
    async (_what, when, offset) => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-full-'))
      const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1" "$4"'
      const ended = await runToEnd(
        'unshare',
        ['-m', 'sh', '-c', script, 'sh', folder, process.execPath, module, when],
        { deadlineMs: 60_000 },
      )
      rmSync(folder, { recursive: true })
      expect(ended.stdout).toContain(`the state in ${join(folder, '0_0')} cannot be read or written`)
      expect(ended.stdout).toMatch(/No space left|no space left/)
      if (when === 'write') expect(ended.stdout).toContain('(store words)')
      expect(ended.stdout).toContain('free space on its disk')
      expect(ended.stdout).not.toContain('damaged')
      expect(ended.stdout).toContain(`then at ${offset}\nwritten to 3`)
    },
  )
})
