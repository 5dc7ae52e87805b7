import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { messageOf } from '../../../src/base/fault.ts'
import { runToEnd } from '../run-process.ts'

/** The Apache Kafka that the tests, the conformance data and the benchmarks are held against. */
export const kafkaVersion = '4.3.1'

/** Where its jars are kept between runs; git ignores the folder. */
export const kafkaJarsFolder: string = resolve(
  import.meta.dirname,
  `../../../.cache/kafka-${kafkaVersion}/lib`,
)

/**
 * The folder with the jars of Apache Kafka (broker, tools, Streams, its test driver), fetched from Maven Central the
 * first time. They are fetched beside the folder and then renamed, so that a folder that exists is complete, also
 * where two runs fetch at once.
 */
export const ensureKafkaJars = async (folder: string = kafkaJarsFolder): Promise<string> => {
  if (existsSync(folder)) return folder
  await mkdir(resolve(folder, '..'), { recursive: true })
  const partial = await mkdtemp(`${folder}-`)
  try {
    await copyDependencies(partial)
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
    return folder
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** The first line of `java -version`, or undefined where there is no Java. */
export const javaVersion = async (): Promise<string | undefined> =>
  runToEnd('java', ['-version']).then(
    ({ stderr }) => stderr.split('\n')[0],
    () => undefined,
  )

const copyDependencies = async (folder: string): Promise<void> => {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`]
  const pom = join(import.meta.dirname, 'pom.xml')
  await runToEnd('mvn', ['-q', '-B', '-f', pom, `-Dkafka.version=${kafkaVersion}`, ...goal], {
    deadlineMs: 300_000,
  }).catch((error: unknown) => {
    throw new Error(
      `the jars of Apache Kafka ${kafkaVersion} cannot be had with Maven: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  })
}
