import { Command } from 'commander'
import { Fault } from '../base/fault.ts'
import type { Admin } from '../kafka/admin.ts'
import { checkTopicOption } from './check-topic-option.ts'
import { chooseAction } from './choose-action.ts'
import type { FlaggedAction } from './choose-action.ts'
import { commandConfigOption } from './command-config.ts'
import { withCluster } from './connect.ts'
import { bootstrapServerOption, pair, wholeNumber } from './options.ts'
import { usage } from './usage.ts'
import { outputText, print } from './terminal.ts'

interface TopicsOptions {
  readonly topic?: string
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, string>>
  readonly ifNotExists?: boolean
  readonly ifExists?: boolean
  readonly bootstrapServer: string
  readonly commandConfig?: string
}

/** `millrace topics`, as Kafka's `kafka-topics`. */
export const topicsCommand = (): Command =>
  new Command('topics')
    .description('create, list, describe, alter and delete topics')
    .option('--create', 'create a topic')
    .option('--list', 'list all topics')
    .option('--describe', 'show partitions and configuration of a topic, or of all')
    .option('--alter', 'give a topic more partitions')
    .option('--delete', 'delete a topic')
    .option('--topic <name>', 'the topic')
    .option('--partitions <count>', "how many partitions; defaults to the broker's", wholeNumber(1))
    .option('--replication-factor <count>', "how many replicas; defaults to the broker's", wholeNumber(1))
    .option('--config <name=value>', 'a topic configuration; may be given several times', pair, {})
    .option('--if-not-exists', 'with --create: accept a topic that exists')
    .option('--if-exists', 'with --delete and --alter: accept a topic that does not exist')
    .addOption(bootstrapServerOption())
    .addOption(commandConfigOption())
    .action(async (options: TopicsOptions, command: Command) => {
      const action = chooseAction(command, actions())
      if (options.topic !== undefined) await checkTopicOption(options.topic)
      await withCluster(options, async (cluster) => {
        const { Admin } = await import('../kafka/admin.ts')
        await action(new Admin(cluster), options)
      })
    })

type Action = (admin: Admin, options: TopicsOptions) => Promise<void>

const actions = (): readonly FlaggedAction<Action>[] => [
  {
    flag: '--create',
    run: create,
    needs: ['--topic'],
    reads: ['--topic', '--partitions', '--replication-factor', '--config', '--if-not-exists'],
  },
  { flag: '--list', run: list, reads: [] },
  { flag: '--describe', run: describe, reads: ['--topic'] },
  { flag: '--alter', run: alter, needs: ['--topic'], reads: ['--topic', '--partitions', '--if-exists'] },
  { flag: '--delete', run: remove, needs: ['--topic'], reads: ['--topic', '--if-exists'] },
]

const create: Action = async (admin, options) => {
  const topic = options.topic as string
  const { partitions, replicationFactor, config: configs } = options
  const created = await admin.createTopics([{ topic, partitions, replicationFactor, configs }])
  if (created.includes(topic)) print(`Created topic ${topic}.`)
  else if (options.ifNotExists !== true) throw existsAlready(topic)
}

const list: Action = async (admin) => {
  for (const topic of await admin.listTopics()) print(outputText(topic))
}

const describe: Action = async (admin, { topic }) => {
  const topics = topic === undefined ? await admin.listTopics() : [topic]
  for (const { name, id, partitions } of await admin.describeTopics(topics)) {
    const configs = (await admin.describeConfigs(name))
      .filter(({ isDefault }) => !isDefault)
      .map((each) => outputText(`${each.name}=${each.value ?? ''}`))
    const replicas = partitions[0]?.replicas.length ?? 0
    const shownName = outputText(name)
    print(
      `Topic: ${shownName}\tTopicId: ${id}\tPartitionCount: ${partitions.length}\tReplicationFactor: ${replicas}\tConfigs: ${configs.join(',')}`,
    )
    for (const each of partitions)
      print(
        `\tTopic: ${shownName}\tPartition: ${each.partition}\tLeader: ${each.leaderId}\tReplicas: ${each.replicas.join(',')}\tIsr: ${each.inSyncReplicas.join(',')}`,
      )
  }
}

const alter: Action = async (admin, options) => {
  if (options.partitions === undefined) throw usage('--alter needs --partitions')
  const topic = options.topic as string
  if (options.ifExists === true && !(await exists(admin, topic))) return
  await admin.createPartitions(topic, options.partitions)
}

const remove: Action = async (admin, options) => {
  const topic = options.topic as string
  if (!(await exists(admin, topic))) {
    if (options.ifExists === true) return
    throw missing(topic)
  }
  await refuseInternal(admin, topic)
  await admin.deleteTopics([topic])
}

/** The broker would delete them, and with them the offsets of all groups, or the transactions of all producers. */
const refuseInternal = async (admin: Admin, topic: string): Promise<void> => {
  const [described] = await admin.describeTopics([topic])
  if (described?.isInternal !== true) return
  throw new Fault({
    code: 'TOPIC_INTERNAL',
    actor: 'author',
    message: `topic '${topic}' belongs to Kafka itself: it holds the offsets or the transactions of all clients`,
    remedy: 'delete one group with its offsets: millrace groups --delete --group NAME',
    place: { topic },
  })
}

const exists = async (admin: Admin, topic: string): Promise<boolean> =>
  (await admin.partitionCounts([topic])).has(topic)

const existsAlready = (topic: string): Fault =>
  new Fault({
    code: 'TOPIC_EXISTS',
    actor: 'author',
    message: `topic '${topic}' already exists`,
    remedy: 'use --if-not-exists to accept that',
    place: { topic },
  })

const missing = (topic: string): Fault =>
  new Fault({
    code: 'TOPIC_MISSING',
    actor: 'author',
    message: `topic '${topic}' does not exist`,
    remedy: 'list the topics there are: millrace topics --list',
    place: { topic },
  })
