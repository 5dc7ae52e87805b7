import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runToEnd } from '../run-process.ts'
import { ensureKafkaJars, kafkaVersion } from './kafka-jars.ts'

/**
 * An image of Apache Kafka out of a Debian with Java and the published jars, for machines that can reach Debian and
 * Maven Central but no image registry. It takes the same `KAFKA_*` variables as the official image. Needs root,
 * debootstrap and a Docker engine; an image that is there already is kept.
 *
 *     node test/support/kafka/build-docker-image.ts --tag millrace/kafka:4.3.1
 *     MILLRACE_KAFKA=testcontainers MILLRACE_KAFKA_IMAGE=millrace/kafka:4.3.1 npm run test:kafka
 */
const { values } = parseArgs({
  options: { tag: { type: 'string', default: `millrace/kafka:${kafkaVersion}` }, force: { type: 'boolean' } },
})

const minutesMs = 60_000
const entrypoint = '/opt/kafka/start.sh'

/** What the official image does too: variables become properties, the storage is formatted once, the broker runs. */
const startScript = `#!/bin/sh
set -eu
kafka() { exec java -Xms128m -Xmx1g -XX:+UseSerialGC -cp '/opt/kafka/lib/*' "$@"; }
cd /opt/kafka
mkdir -p defaults mounted config
said=$(kafka kafka.docker.KafkaDockerWrapper setup \\
  --default-configs-dir defaults --mounted-configs-dir mounted --final-configs-dir config 2>&1) ||
  { echo "$said" | grep -qi 'already formatted' || { echo "$said" >&2; exit 1; }; }
kafka kafka.Kafka config/server.properties
`

const build = async (tag: string): Promise<void> => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-image-'))
  try {
    await bootstrapDebian(root)
    const home = join(root, 'opt/kafka')
    mkdirSync(home, { recursive: true })
    cpSync(await ensureKafkaJars(), join(home, 'lib'), { recursive: true })
    writeFileSync(join(root, entrypoint), startScript)
    chmodSync(join(root, entrypoint), 0o755)
    await importImage(root, tag)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const bootstrapDebian = async (root: string): Promise<void> => {
  const packages = 'openjdk-17-jre-headless,ca-certificates'
  await runToEnd('debootstrap', ['--variant=minbase', `--include=${packages}`, 'bookworm', root], {
    deadlineMs: 10 * minutesMs,
  })
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man']) {
    rmSync(join(root, folder), { recursive: true, force: true })
  }
}

/** `tar | docker import`, by hand, since half a gigabyte of archive passes through. */
const importImage = (root: string, tag: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const changes = [`ENTRYPOINT ["${entrypoint}"]`, 'EXPOSE 9092'].flatMap((change) => ['--change', change])
    const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const docker = spawn('docker', ['import', ...changes, '-', tag], {
      stdio: [tar.stdout, 'ignore', 'inherit'],
    })
    tar.once('error', reject)
    docker.once('error', reject)
    docker.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`docker import ended with ${code ?? 'a signal'}`)),
    )
  })

const isThere = async (tag: string): Promise<boolean> =>
  runToEnd('docker', ['image', 'inspect', tag]).then(
    () => true,
    () => false,
  )

if (values.force !== true && (await isThere(values.tag))) {
  process.stdout.write(`${values.tag} is there already\n`)
} else {
  await build(values.tag)
  process.stdout.write(`built ${values.tag}\n`)
}
