import type { EventFields } from '../runtime/runtime-settings.ts'
import type { Settings } from './settings.ts'

/** Warns of settings that give secrets or records to the network. */
export const warnOfOpenSecrets = (
  { tls, sasl }: Pick<Settings, 'tls' | 'sasl'>,
  onWarning: ((message: string, fields: EventFields) => void) | undefined,
): void => {
  if (tls?.rejectUnauthorized === false)
    onWarning?.(
      'tls.rejectUnauthorized is false, so every certificate is accepted: an attacker between this process and the brokers can read and change everything; name the authority of the brokers in tls.caFile instead',
      { code: 'TLS_NOT_VERIFIED' },
    )
  if (tls === undefined && sasl !== undefined && secretIsSent.has(sasl.mechanism))
    onWarning?.(
      `SASL ${sasl.mechanism} without tls sends ${sasl.mechanism === 'PLAIN' ? 'the password' : 'the token'} as readable text; set tls, or use SCRAM-SHA-512`,
      { code: 'SASL_WITHOUT_TLS' },
    )
}

/** SCRAM proves that it knows the password. */
const secretIsSent: ReadonlySet<string> = new Set(['PLAIN', 'OAUTHBEARER'])
