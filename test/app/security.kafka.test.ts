import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SettingsInput } from '../../src/app/settings.ts'
import { connect, start, string, topic, topology } from '../../src/index.ts'
import { messageOf } from '../../src/base/fault.ts'
import { systemClock } from '../../src/base/system-clock.ts'
import { metadataApi, wireRequestOf } from '../../src/kafka/apis.ts'
import { BrokerConnection } from '../../src/kafka/connection/broker-connection.ts'
import type { Authority, Signed } from '../support/certificates.ts'
import { createAuthority } from '../support/certificates.ts'
import { freePorts } from '../support/free-port.ts'
import { uniqueName } from '../support/kafka/kafka-brokers.ts'
import { startKafka } from '../support/kafka/start-kafka.ts'
import type { ExtraListener, StartedKafka } from '../support/kafka/started-kafka.ts'
import { runProcess } from '../support/run-process.ts'

/** Secured listeners of a real broker: what connects to them, and what a user reads who does not get in. */
const password = 'open-sesame-4711'
const protocols = {
  sasl: 'SASL_PLAINTEXT',
  tls: 'SSL',
  mutual: 'SSL',
  expired: 'SSL',
  elsewhere: 'SSL',
  sasltls: 'SASL_SSL',
  brief: 'SASL_PLAINTEXT',
} as const
type Name = keyof typeof protocols
const names = Object.keys(protocols) as Name[]

const folder = mkdtempSync(join(tmpdir(), 'millrace-security-'))
let kafka: StartedKafka
let listeners: ExtraListener[]
let authority: Authority
let stranger: Authority
let user: Signed

const addressOf = (name: Name): string => (listeners[names.indexOf(name)] as ExtraListener).address

const saslProperties = (name: Name): Record<string, string> => {
  const modules = 'org.apache.kafka.common.security'
  const at = `listener.name.${name}`
  return {
    [`${at}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`${at}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required user_alice="${password}";`,
    [`${at}.scram-sha-256.sasl.jaas.config`]: `${modules}.scram.ScramLoginModule required;`,
    [`${at}.scram-sha-512.sasl.jaas.config`]: `${modules}.scram.ScramLoginModule required;`,
    [`${at}.oauthbearer.sasl.jaas.config`]: `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  }
}

/** The broker ends a connection that does not show its credentials again (KIP-368), or does so within a second. */
const briefSessions = (name: Name): Record<string, string> =>
  Object.fromEntries(
    ['plain', 'scram-sha-256'].map((mechanism) => [
      `listener.name.${name}.${mechanism}.connections.max.reauth.ms`,
      '2000',
    ]),
  )

const tlsProperties = async (
  name: Name,
  options?: { readonly host?: string; readonly days?: number },
): Promise<Record<string, string>> => {
  const { certFile, keyFile } = await authority.sign(name, options)
  const keystore = join(folder, `${name}-keystore.pem`)
  writeFileSync(keystore, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'))
  const at = `listener.name.${name}.ssl`
  return {
    [`${at}.keystore.type`]: 'PEM',
    [`${at}.keystore.location`]: keystore,
    [`${at}.truststore.type`]: 'PEM',
    [`${at}.truststore.location`]: authority.caFile,
    [`${at}.client.auth`]: name === 'mutual' ? 'required' : 'none',
  }
}

beforeAll(async () => {
  authority = await createAuthority(folder, 'authority')
  stranger = await createAuthority(folder, 'stranger')
  user = await authority.sign('alice')
  const ports = await freePorts(names.length)
  listeners = names.map((name, index) => ({
    name: name.toUpperCase(),
    protocol: protocols[name],
    address: `127.0.0.1:${ports[index]}`,
  }))
  kafka = await startKafka({
    exclusive: true,
    via: 'jars',
    listeners,
    scramUsers: [256, 512].map((bits) => `SCRAM-SHA-${bits}=[name=alice,password=${password}]`),
    properties: {
      ...saslProperties('sasl'),
      ...saslProperties('sasltls'),
      ...saslProperties('brief'),
      ...briefSessions('brief'),
      ...(await tlsProperties('sasltls')),
      ...(await tlsProperties('tls')),
      ...(await tlsProperties('mutual')),
      ...(await tlsProperties('expired', { days: -1 })),
      ...(await tlsProperties('elsewhere', { host: 'kafka.example' })),
    },
  })
})

afterAll(async () => {
  await kafka?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** An unsecured token, as a broker without an identity provider accepts it. */
const tokenFor = (subject: string): string => {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const seconds = Math.floor(performance.timeOrigin / 1_000)
  return `${encode({ alg: 'none' })}.${encode({ sub: subject, iat: seconds, exp: seconds + 3_600 })}.`
}

const secretFile = (name: string, content: string): { readonly file: string } => {
  const file = join(folder, name)
  writeFileSync(file, `${content}\n`)
  return { file }
}

type Security = Pick<SettingsInput, 'tls' | 'sasl'>
const settingsAt = (name: Name, security: Security = {}): SettingsInput => ({
  bootstrapServers: addressOf(name),
  requestTimeoutMs: 3_000,
  stateDirectory: join(folder, 'state'),
  ...security,
})

const login = { username: 'alice', password } as const
const trust = (): NonNullable<SettingsInput['tls']> => ({ caFile: authority.caFile })
const ways: readonly (readonly [string, Name, () => Security])[] = [
  ['SASL PLAIN', 'sasl', () => ({ sasl: { mechanism: 'PLAIN', ...login } })],
  ['SCRAM-SHA-256', 'sasl', () => ({ sasl: { mechanism: 'SCRAM-SHA-256', ...login } })],
  [
    'SCRAM-SHA-512 with the password in a file',
    'sasl',
    () => ({
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'alice', password: secretFile('password', password) },
    }),
  ],
  ['OAUTHBEARER', 'sasl', () => ({ sasl: { mechanism: 'OAUTHBEARER', token: tokenFor('alice') } })],
  ['TLS', 'tls', () => ({ tls: trust() })],
  ['mutual TLS', 'mutual', () => ({ tls: { ...trust(), ...user } })],
  ['SCRAM over TLS', 'sasltls', () => ({ tls: trust(), sasl: { mechanism: 'SCRAM-SHA-512', ...login } })],
  [
    'TLS under the name that the certificate has',
    'elsewhere',
    () => ({ tls: { ...trust(), serverName: 'kafka.example' } }),
  ],
]

/** Writes values to a topic of its own and tells which of them an application reads. */
const passedThrough = async (
  settings: SettingsInput,
  values: readonly string[],
): Promise<readonly string[]> => {
  const words = topic(uniqueName('words'), { key: string, value: string })
  const seen: string[] = []
  const program = topology(uniqueName('reader'), (builder) => {
    builder.stream(words).forEach(({ value }) => void seen.push(value))
  })
  const client = connect(settings)
  try {
    await client.createTopics([{ name: words.name, partitions: 1 }])
    await client.write(
      words,
      values.map((value) => ({ key: 'k', value })),
    )
  } finally {
    await client.close()
  }
  const application = await start(program, settings)
  try {
    await application.waitFor('running')
    await expect.poll(() => seen.length).toBe(values.length)
  } finally {
    await application.close()
  }
  return seen
}

describe('a secured listener', () => {
  it.each(ways)('lets in by %s what produces and consumes', async (_way, name, security) => {
    expect(await passedThrough(settingsAt(name, security()), ['hello'])).toEqual(['hello'])
  })

  it('carries records of several megabytes over TLS as they were written', async () => {
    const values = Array.from({ length: 12 }, (_, index) => String.fromCodePoint(97 + index).repeat(700_000))
    const seen = await passedThrough(settingsAt('tls', { tls: trust() }), values)
    expect(seen.every((value, index) => value === values[index])).toBe(true)
  })

  it.each(['PLAIN', 'SCRAM-SHA-256'] as const)(
    'keeps a connection whose session would end, as credentials are shown again (%s)',
    async (mechanism) => {
      let shown = 0
      let lost = 0
      const [host, port] = addressOf('brief').split(':')
      const connection = await BrokerConnection.open(
        { host: host as string, port: Number(port) },
        {
          clock: systemClock,
          clientId: 'brief',
          tls: undefined,
          sasl: { mechanism, username: 'alice', password: () => (shown++, password) },
          connectTimeoutMs: 3_000,
          requestTimeoutMs: 3_000,
          onGone: () => lost++,
        },
      )
      const metadata = wireRequestOf(metadataApi, null, false, false)
      while (shown < 3) await Promise.all([connection.send(metadata), connection.send(metadata)])
      expect(lost).toBe(0)
      await connection.close()
      expect(lost).toBe(1)
    },
  )
})

/** What a user reads who can't get in. */
const messageFor = async (settings: SettingsInput): Promise<string> => {
  const client = connect(settings)
  try {
    await client.createTopics([{ name: 'never-made', partitions: 1 }])
    return 'it connected'
  } catch (error) {
    return messageOf(error)
  } finally {
    await client.close()
  }
}

const wrong = `wrong-${password}`
const refusals: readonly (readonly [string, Name, () => Security, string])[] = [
  ...(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const).map(
    (mechanism) =>
      [
        `a wrong password (${mechanism})`,
        'sasl' as const,
        () => ({ sasl: { mechanism, username: 'alice', password: wrong } }),
        'refused the credentials; check the SASL mechanism, the user name and the password',
      ] as const,
  ),
  [
    'an unknown authority',
    'tls',
    () => ({ tls: { caFile: stranger.caFile } }),
    "shows a certificate of an authority that is not trusted here; name the authority's certificate in tls.caFile",
  ],
  [
    'an expired certificate',
    'expired',
    () => ({ tls: trust() }),
    'shows a certificate that has expired; renew the certificate of the broker, or of the authority that signed it',
  ],
  [
    'a certificate for another host',
    'elsewhere',
    () => ({ tls: trust() }),
    'shows a certificate for another host; connect to a name that the certificate lists, or set tls.serverName to it',
  ],
  [
    'a missing client certificate',
    'mutual',
    () => ({ tls: trust() }),
    'refused the certificate of this client, or misses one; set tls.certFile and tls.keyFile to a certificate that the broker trusts',
  ],
  [
    'a plain client at a TLS port',
    'tls',
    () => ({}),
    'speaks TLS on this port, and this client does not; set tls, or name the port of a listener without it',
  ],
]

describe('who does not get in', () => {
  it.each(refusals)('reads about %s', async (_what, name, security, says) => {
    const message = await messageFor(settingsAt(name, security()))
    expect(message).toBe(`broker ${addressOf(name)} ${says}`)
    expect(message).not.toContain(password)
  })

  it('reads that a plain port does not speak TLS', async () => {
    const message = await messageFor({
      ...settingsAt('tls', { tls: trust() }),
      bootstrapServers: kafka.brokers,
    })
    expect(message).toContain(`broker ${kafka.brokers} `)
    expect(message).toContain('leave tls out, or name the port of a listener that speaks it')
  })

  it('reads which host is unknown', async () => {
    const sasl = { mechanism: 'PLAIN', ...login } as const
    const message = await messageFor({
      ...settingsAt('sasl', { sasl }),
      bootstrapServers: 'no-such-host.invalid:9092',
    })
    expect(message).toMatch(
      /^no Kafka broker answers at no-such-host\.invalid:9092 \(.*\); start Kafka there/,
    )
    expect(message).not.toContain(password)
  })
})

describe('the command line with --command-config', () => {
  const topics = (file: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    runProcess(process.execPath, [
      ...['bin/millrace.js', 'topics', '--list', '--bootstrap-server', addressOf('sasltls')],
      ...['--command-config', file],
    ]).waitForExit(60_000)

  it('reaches a secured broker', async () => {
    const sasl = { mechanism: 'SCRAM-SHA-256', ...login }
    const { file } = secretFile('client.json', JSON.stringify({ tls: trust(), sasl }))
    expect(await topics(file)).toMatchObject({ code: 0, stderr: '' })
  })

  it('never prints the password', async () => {
    const sasl = { mechanism: 'SCRAM-SHA-256', username: 'alice', password: wrong }
    const { file } = secretFile('wrong.json', JSON.stringify({ tls: trust(), sasl }))
    const { code, stdout, stderr } = await topics(file)
    expect(code).toBe(1)
    expect(stderr).toContain(`broker ${addressOf('sasltls')} refused the credentials`)
    expect(stdout + stderr).not.toContain(password)
  })

  it('shows nothing of a file that is no JSON', async () => {
    const { file } = secretFile('broken.json', `{ "sasl": { "password": ${wrong} } }`)
    const { code, stdout, stderr } = await topics(file)
    expect(code).toBe(2)
    expect(stderr).toContain(file)
    expect(stdout + stderr).not.toContain(password)
  })
})
