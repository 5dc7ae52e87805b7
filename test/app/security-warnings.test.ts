import { expect, it } from 'vitest'
import { warnOfOpenSecrets } from '../../src/app/security-warnings.ts'
import type { SettingsInput } from '../../src/app/settings.ts'
import { parseSettings } from '../../src/app/settings.ts'
import { start, string, topic, topology } from '../../src/index.ts'

const warningsOf = (settings: Partial<SettingsInput>): readonly (string | undefined)[] => {
  const codes: (string | undefined)[] = []
  warnOfOpenSecrets(parseSettings({ bootstrapServers: 'kafka:9092', ...settings }), (message, { code }) => {
    expect(message).not.toContain('secret')
    codes.push(code)
  })
  return codes
}

it.each<[string, Partial<SettingsInput>, readonly string[]]>([
  ['nothing of security', {}, []],
  ['TLS that verifies', { tls: {} }, []],
  ['TLS that verifies nothing', { tls: { rejectUnauthorized: false } }, ['TLS_NOT_VERIFIED']],
  [
    'PLAIN without TLS',
    { sasl: { mechanism: 'PLAIN', username: 'u', password: 'secret' } },
    ['SASL_WITHOUT_TLS'],
  ],
  ['a token without TLS', { sasl: { mechanism: 'OAUTHBEARER', token: 'secret' } }, ['SASL_WITHOUT_TLS']],
  ['PLAIN with TLS', { tls: {}, sasl: { mechanism: 'PLAIN', username: 'u', password: 'secret' } }, []],
  ['SCRAM without TLS', { sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'secret' } }, []],
])('a start with %s warns of what the network reads', (_what, settings, codes) => {
  expect(warningsOf(settings)).toEqual(codes)
})

it('a start refuses a password in bootstrapServers without showing it', async () => {
  const program = topology('t', (builder) => builder.stream(topic('in', { value: string })).forEach(() => {}))
  const warnings: string[] = []
  const started = start(
    program,
    { bootstrapServers: 'sasl://u:PASSWORD@host:9092', tls: { rejectUnauthorized: false } },
    { onWarning: (warning) => void warnings.push(warning), logger: false },
  )
  const error: unknown = await started.catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code: 'BROKERS_INVALID' })
  expect(String((error as Error).stack)).not.toContain('PASSWORD')
  expect(warnings).toMatchObject([expect.stringContaining('rejectUnauthorized is false')])
})
