import { describe, expect, it } from 'vitest'
import { parseSettings } from '../../src/app/settings.ts'

const refusalOf = (settings: object): string => {
  try {
    parseSettings({ bootstrapServers: 'localhost:9092', ...settings })
  } catch (error) {
    return (error as Error).message
  }
  return 'accepted'
}

describe('settings', () => {
  it.each([
    ['processingGuarante', { processingGuarante: 'exactly_once' }, "did you mean 'processingGuarantee'?"],
    ['tls.rejectUnauthorised', { tls: { rejectUnauthorised: true } }, "did you mean 'rejectUnauthorized'?"],
    ['tls.caFle', { tls: { caFle: 'ca.pem' } }, "did you mean 'caFile'?"],
    ['tls.minVersion', { tls: { minVersion: 'TLSv1.3' } }, "there is no setting 'tls.minVersion'"],
    [
      'sasl.usrname',
      { sasl: { mechanism: 'PLAIN', usrname: 'a', username: 'a', password: 'b' } },
      "did you mean 'username'?",
    ],
    [
      'queryTls.clientAut',
      { queryTls: { certFile: 'cert.pem', keyFile: 'key.pem', clientAut: 'required' } },
      "there is no setting 'queryTls.clientAut'; did you mean 'clientAuth'?",
    ],
    [
      'queryTls.minVersion',
      { queryTls: { certFile: 'cert.pem', keyFile: 'key.pem', minVersion: 'TLSv1.3' } },
      "there is no setting 'queryTls.minVersion'",
    ],
    ['queryToken.extra', { queryToken: { file: 'a', extra: 1 } }, "no setting 'queryToken.extra'"],
    [
      'queryMemberSecret.extra',
      { queryMemberSecret: { file: 'a', extra: 1 } },
      "no setting 'queryMemberSecret.extra'",
    ],
    [
      'sasl.password.extra',
      { sasl: { mechanism: 'PLAIN', username: 'a', password: { file: 'b', extra: 1 } } },
      "no setting 'sasl.password.extra'",
    ],
    [
      'sasl.token.extra',
      { sasl: { mechanism: 'OAUTHBEARER', token: { file: 'b', extra: 1 } } },
      "no setting 'sasl.token.extra'",
    ],
    [
      'tls.keyPassword.extra',
      { tls: { keyPassword: { file: 'b', extra: 1 } } },
      "no setting 'tls.keyPassword",
    ],
    [
      'queryTls.keyPassword.extra',
      { queryTls: { certFile: 'a', keyFile: 'b', keyPassword: { file: 'c', extra: 1 } } },
      "no setting 'queryTls.keyPassword.extra'",
    ],
  ])('that are unknown are refused at every depth: %s', (_name, settings, message) => {
    expect(refusalOf(settings)).toContain(message)
  })

  it.each([
    ['PLAIN', { mechanism: 'PLAIN', username: 'a' }, 'sasl.password is missing, and PLAIN needs it'],
    ['SCRAM', { mechanism: 'SCRAM-SHA-512', password: 'b' }, 'sasl.username is missing'],
    ['OAUTHBEARER', { mechanism: 'OAUTHBEARER', username: 'a', password: 'b' }, 'sasl.token is missing'],
    ['a file', { mechanism: 'PLAIN', username: 'a', password: { path: '/secret' } }, 'sasl.password'],
  ])('of SASL without its credentials are refused: %s', (_name, sasl, message) => {
    expect(refusalOf({ sasl })).toContain(message)
  })

  it.each([
    ['applicationId', '..'],
    ['deadLetterTopic', 'a b'],
    ['groupInstanceId', '../shop'],
    ['groupInstanceId', 'x'.repeat(250)],
  ])('that are names take what Kafka takes: %s %j', (setting, value) => {
    expect(refusalOf({ [setting]: value })).toContain(`${setting}: must be a name of 1 to 249`)
  })

  it.each([
    ['transactionTimeoutMs', 2 ** 31],
    ['rebalanceTimeoutMs', 2 ** 31],
    ['requestTimeoutMs', 2 ** 31],
    ['sessionTimeoutMs', 2 ** 31],
    ['fetchMaxWaitMs', 2 ** 31],
    ['replicationFactor', 32_768],
    ['clientId', 'x'.repeat(32_768)],
  ])('that Kafka could not be sent are refused: %s', (setting, value) => {
    expect(refusalOf({ [setting]: value })).toContain(setting)
  })

  it('that name no directory are refused: state would lie in the working directory', () => {
    expect(refusalOf({ stateDirectory: '' })).toContain('stateDirectory')
  })
})
