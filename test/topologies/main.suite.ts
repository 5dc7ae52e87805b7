import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ProcessExit } from '../support/run-process.ts'
import { runProcess } from '../support/run-process.ts'
import { programHere } from '../support/run-program.ts'

const main = join(import.meta.dirname, '../../topologies/main.ts')

/** `npm start` as a process of its own; the same on the embedded broker and, with `--brokers`, on Apache Kafka. */
export const mainSuite = (args: () => readonly string[]): void => {
  const show = (...more: readonly string[]): Promise<ProcessExit> =>
    runProcess(process.execPath, ['topologies/main.ts', ...args(), ...more]).waitForExit(100_000)

  it('shows the exercise, both flows and a summary that adds up, and ends with 0 (H9, H10)', async () => {
    const { code, stdout, stderr } = await show()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines.filter((line) => line.startsWith('Order '))).toEqual([
      'Order order-123 received with status created',
    ])
    for (const flow of ['choreography', 'orchestration']) {
      const row = lines.find((line) => line.startsWith(flow) && /^\S+(\s+\d+){7}$/.test(line))
      const [came, ...ends] = (row?.split(/\s+/).slice(1) ?? []).map(Number)
      expect(came, flow).toBe(11)
      expect(
        ends.reduce((sum, each) => sum + each, 0),
        flow,
      ).toBe(came)
      expect(ends.at(-1), `${flow} leaves orders open`).toBe(0)
    }
    expect(stdout).toContain('It adds up')
    for (const told of [
      /choreography\s+order-101.*payment-completed/,
      /choreography\s+order-104.*inventory-restored.*given back/,
      /orchestration\s+order-201.*process-payment/,
      /orchestration\s+order-204.*release-stock/,
      /hybrid\s+order-201.*customer-notified/,
    ])
      expect(stdout).toMatch(told)
  })
}

export const describeHelp = (): void => {
  describe('npm start', () => {
    it('explains itself', async () => {
      const { code, stdout } = await programHere(main, ['--help'])
      expect(code).toBe(0)
      expect(stdout).toContain('--brokers host:port')
    })

    it.each([
      [['--foo'], /^npm start: Unknown option '--foo'; use --brokers, --keep, --port, --help\n$/],
      [['--port', '99999'], /^npm start: --port '99999' is no port.*\n$/],
      [['now'], /^npm start: Unexpected argument 'now'; use .*\n$/],
    ])('refuses %j in one line', async (args, message) => {
      const { code, stderr } = await programHere(main, args)
      expect(code).toBe(2)
      expect(stderr).toMatch(message)
    })

    it('ends without an error when its reader closes the pipe', async () => {
      const { code, stderr } = await runProcess('bash', [
        '-c',
        `set -o pipefail; ${process.execPath} topologies/main.ts --keep | head -n 3`,
      ]).waitForExit(60_000)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    })

    it('names a broker that is not there', async () => {
      const { code, stderr } = await runProcess(process.execPath, [
        ...['topologies/main.ts', '--brokers', '127.0.0.1:1'],
      ]).waitForExit(60_000)
      expect(code).toBe(1)
      expect(stderr).toMatch(/^npm start: .*127\.0\.0\.1:1.*\n$/)
    })

    it('stays until SIGTERM with --keep, and then closes cleanly', async () => {
      const running = runProcess(process.execPath, ['topologies/main.ts', '--keep'])
      await running.waitForLine(/Still running on/, 100_000)
      running.kill('SIGTERM')
      expect((await running.waitForExit(30_000)).code).toBe(0)
    })
  })
}
