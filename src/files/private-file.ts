import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'

/** The mode of files in state and data directories: they hold what records hold. The umask alone would let others read them. */
export const privateFileMode = 0o600

/** Writes a file that its owner alone may read. */
export const writePrivateFile = (path: string, content: string | Uint8Array, flag = 'w'): void =>
  writeFileSync(path, content, { flag, mode: privateFileMode })

/** Copies a file, for its owner alone whatever the mode of the original is. */
export const copyPrivateFile = (from: string, to: string): void => {
  copyFileSync(from, to)
  makePrivate(to)
}

/** Takes the rights of others away from a file that was made by something else. */
export const makePrivate = (path: string): void => chmodSync(path, privateFileMode)
