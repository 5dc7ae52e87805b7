import { readFileSync, statSync } from 'node:fs'
import { Fault } from '../base/fault.ts'
import { fileVersion } from '../files/file-version.ts'

/** A password, token or key in a setting: text, or the file that it is in. */
export type Secret = string | { readonly file: string }

export const readSecret = (secret: Secret): string =>
  typeof secret === 'string' ? secret : readFileSync(secret.file, 'utf8').trimEnd()

/**
 * A secret that may be replaced while the process runs: its file is read again when it changes. Each line of the file is
 * one: the first is the one to use, the others are accepted too, so that processes can change to a new one in turn.
 */
export class CurrentSecret {
  readonly #setting: string
  readonly #secret: Secret
  #version = ''
  #lines: readonly string[] = []

  constructor(setting: string, secret: Secret) {
    this.#setting = setting
    this.#secret = secret
    if (typeof secret === 'string') this.#lines = linesOf(secret)
    if (this.lines.length === 0) throw unreadable(setting)
  }

  /** Those that are accepted; the first is the one to use. Fails where the file can't be read now. */
  get lines(): readonly string[] {
    if (typeof this.#secret === 'string') return this.#lines
    try {
      const version = fileVersion(statSync(this.#secret.file))
      if (version !== this.#version) this.#lines = linesOf(readFileSync(this.#secret.file, 'utf8'))
      this.#version = version
    } catch (cause) {
      throw unreadable(this.#setting, cause)
    }
    if (this.#lines.length === 0) throw unreadable(this.#setting)
    return this.#lines
  }
}

const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

const unreadable = (setting: string, cause?: unknown): Fault =>
  new Fault({
    code: 'SECRET_UNREADABLE',
    actor: 'retry',
    message: `the setting ${setting} holds no secret now`,
    remedy: 'write it into the file that the setting names',
    cause,
  })
