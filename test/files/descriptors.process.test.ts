import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { descriptorTable, refuseTasksWithoutDescriptors } from '../../src/files/descriptors.ts'
import { runToEnd } from '../support/run-process.ts'

const program = join(import.meta.dirname, '../state/programs/few-descriptors.ts')
const refusing = (tasks: number, limit: number | undefined, open: number) => (): void =>
  refuseTasksWithoutDescriptors(tasks, { limit, open })

describe('file descriptors', () => {
  it('are counted, three for each task with state and 32 for connections', () => {
    expect(refusing(100, 362, 30)).not.toThrow()
    expect(refusing(100, 361, 30)).toThrow(
      expect.objectContaining({
        code: 'DESCRIPTORS_EXHAUSTED',
        message: expect.stringMatching(
          /may have 361 open files.*30 are open.*100 more tasks takes 300.*ulimit -n/,
        ),
      }),
    )
  })

  it('are not counted for tasks without state, nor where there is no limit', () => {
    expect(refusing(0, 10, 30)).not.toThrow()
    expect(refusing(1_000_000, undefined, 30)).not.toThrow()
  })

  it.skipIf(process.platform === 'win32')('are read from the operating system', () => {
    const { limit, open } = descriptorTable()
    expect(limit).toBeGreaterThan(64)
    expect(open).toBeGreaterThan(3)
  })

  it.skipIf(process.platform !== 'linux')(
    'that run out are a fault: no state is taken for damaged, or for none',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-descriptors-'))
      // Some limits ended the process by a segmentation fault, others came back as an error of LMDB.
      for (const limit of [101, 102, 103]) {
        const script = `ulimit -n ${limit} && exec "$1" "$2" "$3"`
        const args = ['-c', script, 'sh', process.execPath, program, mkdtempSync(join(folder, 'each-'))]
        const { stdout } = await runToEnd('sh', args, { deadlineMs: 30_000 })
        expect(JSON.parse(stdout)).toMatchObject({
          code: 'DESCRIPTORS_EXHAUSTED',
          message: expect.stringContaining(`of ${limit}; raise the limit`),
          damaged: 0,
          read: 'DESCRIPTORS_EXHAUSTED',
        })
      }
      rmSync(folder, { recursive: true })
    },
  )
})
