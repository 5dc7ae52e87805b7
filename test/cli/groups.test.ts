import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningBroker } from '../../src/broker/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { millraceHere as millrace } from '../support/run-command.ts'
import { groupsSuite } from './groups.suite.ts'

describe('millrace groups on the embedded broker', () => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.close())
  let count = 0
  groupsSuite(
    () => broker.bootstrapServers,
    (prefix) => `${prefix}-${++count}`,
  )
})

it.each([
  [['--list', '--delete'], /say one of --list, --describe, --delete/],
  [['--describe'], /--describe needs --group or --all-groups/],
  [['--delete'], /--delete needs --group/],
])('millrace groups %j is refused in one line', async (args, message) => {
  const { code, stdout, stderr } = await millrace(['groups', ...args])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
})
