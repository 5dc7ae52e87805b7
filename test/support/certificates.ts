import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runToEnd } from './run-process.ts'

/** An authority made for one test run, and what it signs; made by openssl, in a folder that the caller removes. */
export interface Authority {
  /** The authority's own certificate, as a PEM file. */
  readonly caFile: string
  /** A certificate for a host or a user, valid for so many days from now: fewer than none, and it has expired. */
  sign(name: string, options?: { readonly host?: string; readonly days?: number }): Promise<Signed>
}

export interface Signed {
  readonly certFile: string
  readonly keyFile: string
}

export const createAuthority = async (folder: string, name: string): Promise<Authority> => {
  const file = (suffix: string): string => join(folder, `${name}-${suffix}`)
  const caFile = file('ca.pem')
  const caKey = file('ca.key')
  const openssl = (...args: readonly string[]): Promise<unknown> => runToEnd('openssl', args)
  await openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
    ...['-keyout', caKey, '-out', caFile],
  )
  return {
    caFile,
    sign: async (subject, { host = '127.0.0.1', days = 1 } = {}) => {
      const [request, keyFile, certFile, extensions] = ['csr', 'key', 'pem', 'ext'].map((end) =>
        file(`${subject}.${end}`),
      ) as [string, string, string, string]
      writeFileSync(extensions, `subjectAltName=${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}\n`)
      await openssl(
        ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`],
        ...['-keyout', keyFile, '-out', request],
      )
      await openssl(
        ...['x509', '-req', '-in', request, '-CA', caFile, '-CAkey', caKey, '-CAcreateserial'],
        ...['-days', String(days), '-extfile', extensions, '-out', certFile],
      )
      return { certFile, keyFile }
    },
  }
}
