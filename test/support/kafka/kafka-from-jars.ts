import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../free-port.ts'
import { onProcessEnd } from '../on-process-end.ts'
import { runToEnd } from '../run-process.ts'
import { ensureKafkaJars, javaVersion, kafkaVersion } from './kafka-jars.ts'
import { randomClusterId, singleNode, toPropertiesFile, withListeners } from './server-properties.ts'
import { isDeadly, waitUntilAnswers, type KafkaOptions, type StartedKafka } from './started-kafka.ts'

/**
 * Apache Kafka from its published jars, run by the machine's Java: the broker itself, without an image or an engine.
 * Its folder (properties, log, data) lives in the system's temporary folder and goes when it is closed.
 */
export const startKafkaFromJars = async (options: KafkaOptions = {}): Promise<StartedKafka> => {
  if ((await javaVersion()) === undefined) {
    throw new Error(`Apache Kafka ${kafkaVersion} needs Java 17 or later, and there is no java here`)
  }
  const jars = join(await ensureKafkaJars(), '*')
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  const forgetFolder = onProcessEnd(() => rmSync(folder, { recursive: true, force: true }))
  const [free, controllerPort] = await freePorts(2)
  const brokers = `127.0.0.1:${options.port ?? free}`
  await format({ jars, folder, brokers, controller: `127.0.0.1:${controllerPort}`, options })

  let server = await startServer(jars, folder, brokers)
  const kafka: StartedKafka = {
    brokers,
    via: 'jars',
    restart: async () => {
      await server.end('SIGTERM')
      server = await startServer(jars, folder, brokers)
    },
    kill: async (signal = 'SIGKILL') => (isDeadly(signal) ? server.end(signal) : server.signal(signal)),
    close: async () => {
      // Nothing of it is kept, so there is no reason to wait for an orderly end.
      await server.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
      forgetFolder()
    },
    [Symbol.asyncDispose]: () => kafka.close(),
  }
  return kafka
}

interface Node {
  readonly jars: string
  readonly folder: string
  readonly brokers: string
  readonly controller: string
  readonly options: KafkaOptions
}

const format = async ({ jars, folder, brokers, controller, options }: Node): Promise<void> => {
  const properties = {
    ...withListeners(
      singleNode({ listen: brokers, advertise: brokers, controller }),
      options.listeners ?? [],
    ),
    'log.dirs': join(folder, 'data'),
    ...options.properties,
  }
  const file = join(folder, 'server.properties')
  await writeFile(file, toPropertiesFile(properties))
  await writeFile(join(folder, 'log4j2.properties'), logging)
  const users = (options.scramUsers ?? []).flatMap((user) => ['--add-scram', user])
  const command = ['format', '-t', randomClusterId(), '-c', file, ...users]
  await runToEnd('java', [loggingOption(folder), '-cp', jars, 'kafka.tools.StorageTool', ...command], {
    deadlineMs: 60_000,
  })
}

interface Server {
  signal(signal: NodeJS.Signals): void
  /** Sends a deadly signal and awaits the end; a broker that will not end in good order is killed. */
  end(signal: NodeJS.Signals): Promise<void>
}

const startServer = async (jars: string, folder: string, brokers: string): Promise<Server> => {
  const logFile = join(folder, 'server.log')
  const child = spawnServer(jars, folder, logFile)
  const forget = onProcessEnd(() => child.kill('SIGKILL'))
  const { promise: gone, reject: rejectGone } = Promise.withResolvers<never>()
  gone.catch(() => undefined)
  const ended = new Promise<void>((resolve) => {
    const over = (how: string): void => {
      forget()
      rejectGone(new Error(`Apache Kafka ${how} while starting:\n${tailOf(logFile)}`))
      resolve()
    }
    child.once('error', (error) => over(error.message))
    child.once('exit', (code, signal) => over(`ended (${code ?? signal})`))
  })
  const server = serverOf(child, ended)
  await waitUntilAnswers(brokers, { gone }).catch(async (error: unknown) => {
    await server.end('SIGKILL')
    throw error
  })
  return server
}

const spawnServer = (jars: string, folder: string, logFile: string): ChildProcess => {
  const log = openSync(logFile, 'a')
  const memory = ['-Xms128m', '-Xmx1g', '-XX:+UseSerialGC']
  const main = ['-cp', jars, 'kafka.Kafka', join(folder, 'server.properties')]
  try {
    return spawn('java', [...memory, loggingOption(folder), ...main], { stdio: ['ignore', log, log] })
  } finally {
    closeSync(log)
  }
}

const serverOf = (child: ChildProcess, ended: Promise<void>): Server => ({
  signal: (signal) => void child.kill(signal),
  end: async (signal) => {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(timer)
  },
})

const tailOf = (file: string): string => readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')

const loggingOption = (folder: string): string =>
  `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`

const logging = `rootLogger.level=WARN
rootLogger.appenderRef.out.ref=OUT
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c %m%n
`
