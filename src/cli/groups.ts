import { Command, Option } from 'commander'
import { largestOf } from '../base/extremes.ts'
import type { GroupMemberOverview, GroupOverview, GroupPartition } from '../app/group-overview.ts'
import type { Admin } from '../kafka/admin.ts'
import { chooseAction } from './choose-action.ts'
import type { FlaggedAction } from './choose-action.ts'
import { commandConfigOption } from './command-config.ts'
import { withCluster } from './connect.ts'
import { bootstrapServerOption } from './options.ts'
import { outputText, print, printJson } from './terminal.ts'

interface GroupsOptions {
  readonly group?: string
  readonly allGroups?: boolean
  readonly state?: boolean
  readonly ifExists?: boolean
  readonly json?: boolean
  readonly bootstrapServer: string
  readonly commandConfig?: string
}

/** `millrace groups`, as Kafka's `kafka-consumer-groups`, which knows no tasks. */
export const groupsCommand = (): Command =>
  new Command('groups')
    .description('list, describe and delete groups: their members, tasks, offsets and lag')
    .option('--list', 'list all groups')
    .option('--describe', 'show the members of a group, their tasks, and how far they are')
    .option('--delete', 'delete a group that has no members, with its offsets')
    .option('--group <id>', "the group; an application's is its application id")
    .addOption(new Option('--all-groups', 'with --describe: every group').conflicts('group'))
    .option('--state', 'with --list: state and type of each')
    .option('--if-exists', 'with --delete: accept a group that does not exist')
    .option('--json', 'with --list and --describe: as JSON')
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (options: GroupsOptions, command: Command) => {
      const action = chooseAction(command, actions())
      await withCluster(options, async (cluster) => {
        const { Admin } = await import('../kafka/admin.ts')
        await action(new Admin(cluster), options)
      })
    })

type Action = (admin: Admin, options: GroupsOptions) => Promise<void>

const actions = (): readonly FlaggedAction<Action>[] => [
  { flag: '--list', run: list, reads: ['--state', '--json'] },
  {
    flag: '--describe',
    run: describe,
    needs: ['--group', '--all-groups'],
    reads: ['--group', '--all-groups', '--json'],
  },
  { flag: '--delete', run: remove, needs: ['--group'], reads: ['--group', '--if-exists'] },
]

const list: Action = async (admin, { state, json }) => {
  const groups = (await admin.listGroups()).toSorted((left, right) =>
    left.groupId.localeCompare(right.groupId),
  )
  if (json === true) printJson(groups, 2)
  else if (state === true)
    printTable(
      ['GROUP', 'STATE', 'TYPE'],
      groups.map((each) => [each.groupId, each.state, each.type]),
    )
  else for (const { groupId } of groups) print(outputText(groupId))
}

const describe: Action = async (admin, { group, allGroups, json }) => {
  const { groupOverview } = await import('../app/group-overview.ts')
  const ids =
    allGroups === true ? (await admin.listGroups()).map(({ groupId }) => groupId) : [group as string]
  const overviews: GroupOverview[] = []
  for (const id of ids.toSorted()) overviews.push(await groupOverview(admin, id))
  if (json === true) printJson(allGroups === true ? overviews : overviews[0], 2)
  else overviews.forEach(printGroup)
}

const remove: Action = async (admin, { group, ifExists }) => {
  const { requireGroup } = await import('../app/group-overview.ts')
  if (ifExists !== true) await requireGroup(admin, group as string)
  await admin.deleteGroup(group as string)
}

const printGroup = ({ groupId, state, assignor, members, partitions, lag }: GroupOverview): void => {
  const dealtOut = assignor === '' ? '' : `\tAssignor: ${outputText(assignor)}`
  print(
    `Group: ${outputText(groupId)}\tState: ${outputText(state)}${dealtOut}\tMembers: ${members.length}\tLag: ${lag}`,
  )
  if (members.length > 0) printTable(memberColumns, members.map(memberRow))
  if (partitions.length > 0) printTable(partitionColumns, partitions.map(partitionRow))
}

const memberColumns = ['CONSUMER-ID', 'HOST', 'CLIENT-ID', 'TASKS', 'STANDBY-TASKS', '#PARTITIONS']
const memberRow = (member: GroupMemberOverview): readonly string[] => [
  member.memberId,
  member.host,
  member.clientId,
  member.tasks.join(',') || '-',
  member.standbyTasks.join(',') || '-',
  String(member.partitions.length),
]

const partitionColumns = ['TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID']
const partitionRow = (each: GroupPartition): readonly string[] => [
  each.topic,
  String(each.partition),
  String(each.committedOffset ?? '-'),
  String(each.endOffset ?? '-'),
  String(each.lag ?? '-'),
  each.memberId ?? '-',
]

/** Columns as wide as their widest cell. */
const printTable = (columns: readonly string[], cells: readonly (readonly string[])[]): void => {
  const rows = cells.map((row) => row.map(outputText))
  const widths = columns.map((_, index) =>
    largestOf([columns, ...rows].map((row) => row[index]?.length ?? 0)),
  )
  for (const row of [columns, ...rows])
    print(
      row
        .map((cell, index) => cell.padEnd(widths[index] as number))
        .join('  ')
        .trimEnd(),
    )
}
