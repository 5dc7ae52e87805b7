import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import { planApplication } from '../../src/runtime/application-plan.ts'
import { queryEndpointsOf } from '../../src/runtime/application-metadata.ts'
import { taskAssignor } from '../../src/runtime/group-assignor.ts'
import type { MemberData } from '../../src/runtime/group-data.ts'
import {
  decodeAssignmentData,
  decodeMemberData,
  encodeAssignmentData,
  encodeMemberData,
} from '../../src/runtime/group-data.ts'
import { string, topic, topology } from '../../src/index.ts'

const input = topic('input', { value: string })
const plan = planApplication(
  topology('reading', (builder) => builder.stream(input).forEach(() => {})),
  'reading',
  () => 4,
)
const memberData = (data: Partial<MemberData>): MemberData => ({
  processId: 'p',
  tasks: [],
  standbys: new Map(),
  leaving: false,
  ...data,
})

describe('the user data of a group', () => {
  it('comes back as it was written', () => {
    const data = memberData({
      tasks: ['0_1'],
      standbys: new Map([['0_2', 17]]),
      endpoint: 'here:7000',
      leaving: true,
    })
    expect(decodeMemberData(encodeMemberData(data))).toEqual(data)
    const assignment = {
      standbys: ['0_3'],
      warmups: ['0_2'],
      followUp: true,
      members: 2,
      endpoints: [{ endpoint: 'here:7000', active: ['0_0'], standby: ['0_3'] }],
      tasks: ['0_0'],
      sizes: new Map([['orders', 3]]),
    }
    expect(decodeAssignmentData(encodeAssignmentData(assignment))).toEqual(assignment)
  })

  it('of version 1 still tells the tasks, and of other makes nothing', () => {
    const old = utf8Encode(JSON.stringify({ version: 1, tasks: ['0_0', 7] }))
    expect(decodeMemberData(old)).toEqual({ ...memberData({ tasks: ['0_0'] }), processId: '' })
    for (const strange of [null, utf8Encode('null'), utf8Encode('{'), utf8Encode('{"version":3}')]) {
      expect(decodeMemberData(strange).tasks).toEqual([])
      expect(decodeAssignmentData(strange)).toEqual({
        standbys: [],
        warmups: [],
        followUp: false,
        members: 1,
        endpoints: [],
      })
    }
  })

  it('leaves out what no application has written', () => {
    const assignment = decodeAssignmentData(
      utf8Encode(
        '{"version":2,"endpoints":[null,7,{"endpoint":5},{"endpoint":"a:1"}],"standbys":{"0_0":1},"members":-1,' +
          '"sizes":{"orders":1e99,"bills":-1,"cards":2.5,"shops":3}}',
      ),
    )
    expect(assignment).toMatchObject({ standbys: [], members: 1, sizes: new Map([['shops', 3]]) })
    expect(assignment.endpoints).toEqual([{ endpoint: 'a:1', active: [], standby: [] }])
  })

  it('tells every member who serves queries for which partitions', async () => {
    const assignor = taskAssignor({
      planOf: () => plan,
      settings: { standbyReplicas: 0, acceptableRecoveryLag: 0, maxWarmupReplicas: 1 },
      ownData: () => memberData({}),
      onForeignMember: () => undefined,
      sizesOf: () => Promise.resolve(new Map()),
    })
    const members = ['a', 'b', 'c'].map((memberId) => ({
      memberId,
      groupInstanceId: null,
      topics: ['input'],
      ownedPartitions: [],
      generationId: -1,
      userData: encodeMemberData(memberData({ endpoint: memberId === 'c' ? undefined : `${memberId}:1` })),
    }))
    const assigned = await assignor.assign(members)
    const told = decodeAssignmentData(assigned.get('c')?.userData ?? null)
    expect(queryEndpointsOf(plan, told.endpoints)).toEqual(
      ['a', 'b'].map((memberId) => ({
        endpoint: `${memberId}:1`,
        activeTasks: expect.any(Array),
        activePartitions: assigned.get(memberId)?.partitions,
        standbyTasks: [],
        standbyPartitions: [],
      })),
    )
  })
})
