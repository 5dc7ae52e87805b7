import { readFileSync, statSync } from 'node:fs'
import type { RequestOptions, ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import { Fault, messageOf } from '../../base/fault.ts'
import { backgroundTimer } from '../../base/system-clock.ts'
import { fileVersion } from '../../files/file-version.ts'
import type { Secret } from '../secret.ts'
import { readSecret } from '../secret.ts'

export interface QueryTlsSettings {
  readonly certFile: string
  readonly keyFile: string
  readonly keyPassword?: Secret | undefined
  readonly caFile?: string | undefined
  readonly clientAuth: 'none' | 'required'
}

interface Pem {
  readonly cert: Buffer
  readonly key: Buffer
  readonly passphrase?: string
  readonly ca?: Buffer
}

/**
 * The certificate that this process serves with, and shows other processes where they want one. Its files are looked at
 * every minute, so a certificate that is renewed is used without a restart.
 */
export class QueryTls {
  readonly #settings: QueryTlsSettings
  #version: string
  #pem: Pem

  constructor(settings: QueryTlsSettings) {
    this.#settings = settings
    this.#version = versionOf(settings)
    this.#pem = read(settings)
  }

  get server(): ServerOptions {
    const isRequired = this.#settings.clientAuth === 'required'
    return { ...this.#pem, requestCert: isRequired, rejectUnauthorized: isRequired }
  }

  /** The authority of `caFile` counts for other processes too; without one, those that Node.js trusts do. */
  get client(): RequestOptions {
    return this.#pem
  }

  /** Calls `renewed` whenever the files have changed; the returned function ends that. */
  watch(renewed: () => void, onWarning: ((message: string) => void) | undefined): () => void {
    let cancel = (): void => undefined
    const look = (): void => {
      try {
        if (this.renew()) renewed()
      } catch (error) {
        onWarning?.(`the certificate of queries stays as it was: ${messageOf(error)}`)
      }
      cancel = backgroundTimer(look, renewalIntervalMs)
    }
    cancel = backgroundTimer(look, renewalIntervalMs)
    return () => cancel()
  }

  /** True where the files have changed and are in use from here on. */
  renew(): boolean {
    const version = versionOf(this.#settings)
    if (version === this.#version) return false
    this.#version = version
    this.#pem = read(this.#settings)
    return true
  }
}

const renewalIntervalMs = 60_000

const read = ({ certFile, keyFile, keyPassword, caFile }: QueryTlsSettings): Pem => {
  try {
    const pem = {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(keyPassword === undefined ? {} : { passphrase: readSecret(keyPassword) }),
      ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    }
    createSecureContext(pem)
    return pem
  } catch (cause) {
    throw unusable(cause)
  }
}

const versionOf = ({ certFile, keyFile, caFile }: QueryTlsSettings): string =>
  [certFile, keyFile, caFile].map((file) => (file === undefined ? '' : versionOfFile(file))).join()

const versionOfFile = (file: string): string => {
  const status = statSync(file, { throwIfNoEntry: false })
  return status === undefined ? 'none' : fileVersion(status)
}

const unusable = (cause: unknown): Fault =>
  new Fault({
    code: 'QUERY_TLS_UNUSABLE',
    actor: 'author',
    message: `the certificate of queries can't be used: ${messageOf(cause)}`,
    remedy: 'check the PEM files that the setting queryTls names',
    cause,
  })
