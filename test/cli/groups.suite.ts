import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GroupOverview } from '../../src/app/group-overview.ts'
import { long, start, string, topic, topology } from '../../src/index.ts'
import { TopicClient } from '../support/topic-client.ts'
import { millraceHere as millrace } from '../support/run-command.ts'

/** `millrace groups` on whatever broker. */
export const groupsSuite = (brokers: () => string, unique: (prefix: string) => string): void => {
  const groups = (...args: readonly string[]): ReturnType<typeof millrace> =>
    millrace(['groups', ...args, '--bootstrap-server', brokers()])

  describe('groups', () => {
    it('lists, describes and deletes the group of an application', async () => {
      const events = topic(unique('events'), { value: string, partitions: 2 })
      const counts = topic(unique('counts'), { value: long })
      const name = unique('watched')
      const program = topology(name, (builder) => {
        builder.stream(events).groupByKey().count({ store: 'by-key' }).toStream().to(counts)
      })
      const stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-groups-'))
      await using client = new TopicClient(brokers())
      await client.create(events, counts)
      const application = await start(
        program,
        { bootstrapServers: brokers(), stateDirectory },
        { logger: false },
      )
      await application.waitFor('running')
      await client.write(
        events,
        ['a', 'b', 'c', 'd'].map((key) => ({ key, value: 'x' })),
      )
      await client.readUntil(counts, (records) => records.length >= 4)

      const running = await groups('--describe', '--group', name)
      expect(running).toMatchObject({ code: 0, stderr: '' })
      const [head, members, member, partitions, ...rows] = running.stdout.trimEnd().split('\n')
      expect(head).toMatch(
        new RegExp(`^Group: ${name}\\tState: Stable\\tAssignor: millrace\\tMembers: 1\\tLag: \\d+$`),
      )
      expect(members).toMatch(/^CONSUMER-ID +HOST +CLIENT-ID +TASKS +STANDBY-TASKS +#PARTITIONS$/)
      expect(member).toMatch(new RegExp(` ${name} +0_0,0_1 +- +2$`))
      expect(partitions).toMatch(/^TOPIC +PARTITION +CURRENT-OFFSET +LOG-END-OFFSET +LAG +CONSUMER-ID$/)
      expect(rows).toHaveLength(2)
      for (const [partition, row] of rows.entries())
        expect(row).toMatch(new RegExp(`^${events.name} +${partition} +(\\d+|-) +\\d+ +[\\d-]+ +${name}-`))
      expect(await groups('--delete', '--group', name)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^millrace: group .* has live members; stop its members first\n$/),
      })

      await application.close()
      rmSync(stateDirectory, { recursive: true, force: true })
      await client.write(events, [{ key: 'a', value: 'x' }])
      const described = await groups('--describe', '--group', name, '--json')
      const overview = JSON.parse(described.stdout) as GroupOverview
      expect(overview).toMatchObject({ groupId: name, state: 'Empty', members: [], lag: 1 })
      expect((await groups('--list')).stdout.split('\n')).toContain(name)
      expect((await groups('--list', '--state')).stdout).toMatch(new RegExp(`^${name} +Empty `, 'm'))
      expect(await groups('--delete', '--group', name)).toMatchObject({ code: 0, stdout: '', stderr: '' })
      expect((await groups('--list')).stdout.split('\n')).not.toContain(name)
    })

    it('says that there is no such group, and what to do', async () => {
      const missing = { code: 1, stdout: '', stderr: expect.stringMatching(/does not exist.*--list\n$/) }
      expect(await groups('--describe', '--group', 'nobody')).toMatchObject(missing)
      expect(await groups('--delete', '--group', 'nobody')).toMatchObject(missing)
      expect(await groups('--delete', '--group', 'nobody', '--if-exists')).toMatchObject({ code: 0 })
    })
  })
}
