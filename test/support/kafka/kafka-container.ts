import { spawnSync } from 'node:child_process'
import { GenericContainer, Wait, getContainerRuntimeClient } from 'testcontainers'
import { messageOf } from '../../../src/base/fault.ts'
import { freePort } from '../free-port.ts'
import { onProcessEnd } from '../on-process-end.ts'
import { kafkaVersion } from './kafka-jars.ts'
import { randomClusterId, singleNode, toImageVariables } from './server-properties.ts'
import { isDeadly, waitUntilAnswers, type KafkaOptions, type StartedKafka } from './started-kafka.ts'

/** The image that the Apache Kafka project publishes. */
export const officialImage = `apache/kafka:${kafkaVersion}`

const brokerPort = 9092
const portInHex = brokerPort.toString(16)

/**
 * Apache Kafka in a container. Clients are told the address under which they reach it, so the host's port is chosen
 * before the container starts; it is bound to the loopback alone.
 */
export const startKafkaContainer = async (
  options: KafkaOptions & { readonly image?: string } = {},
): Promise<StartedKafka> => {
  const port = options.port ?? (await freePort())
  const brokers = `127.0.0.1:${port}`
  const properties = {
    ...singleNode({ listen: `0.0.0.0:${brokerPort}`, advertise: brokers, controller: '127.0.0.1:9093' }),
    ...options.properties,
  }
  const log: string[] = []
  const container = await new LoopbackContainer(options.image ?? officialImage, port)
    .withEnvironment({ ...toImageVariables(properties), CLUSTER_ID: randomClusterId() })
    // The library's own check of ports asks the engine's address, which a port of the loopback does not answer.
    .withWaitStrategy(
      Wait.forSuccessfulCommand(`grep -qi ':${portInHex} .* 0A ' /proc/net/tcp /proc/net/tcp6`),
    )
    .withStartupTimeout(90_000)
    .withLogConsumer((stream) => void stream.on('data', (line) => log.push(String(line))))
    .start()
    .catch((error: unknown) => {
      throw new Error(`${messageOf(error)}\n${log.slice(-20).join('')}`, { cause: error })
    })
  const id = container.getId()
  const forget = onProcessEnd(() => void spawnSync('docker', ['rm', '--force', '--volumes', id]))
  const kafka: StartedKafka = {
    brokers,
    via: 'testcontainers',
    restart: async () => {
      await container.restart({ timeout: 20_000 })
      await waitUntilAnswers(brokers)
    },
    kill: async (signal = 'SIGKILL') => killContainer(id, signal),
    close: async () => {
      forget()
      await container.stop({ timeout: 0, remove: true, removeVolumes: true })
    },
    [Symbol.asyncDispose]: () => kafka.close(),
  }
  await waitUntilAnswers(brokers).catch(async (error: unknown) => {
    await kafka.close()
    throw error
  })
  return kafka
}

/** Undefined where a Docker engine (or one that speaks its protocol) answers, else why none does. */
export const whyNoDocker = async (): Promise<string | undefined> =>
  getContainerRuntimeClient().then(
    () => undefined,
    (error: unknown) => messageOf(error),
  )

class LoopbackContainer extends GenericContainer {
  constructor(image: string, port: number) {
    super(image)
    this.withExposedPorts({ container: brokerPort, host: port })
    // The library binds a published port on every interface; the tests' broker is nobody else's business.
    this.hostConfig.PortBindings = { [`${brokerPort}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: `${port}` }] }
  }
}

const killContainer = async (id: string, signal: NodeJS.Signals): Promise<void> => {
  const client = await getContainerRuntimeClient()
  const container = client.container.getById(id)
  await container.kill({ signal })
  if (isDeadly(signal)) await container.wait()
}
