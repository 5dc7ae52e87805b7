import { messageOf } from '../base/fault.ts'

/** What to do about an error of the file system, where `setting` names the setting or flag with the path. */
export const fileRemedy = (error: unknown, setting: string): string => {
  const found = remedies.find(([pattern]) => pattern.test(`${codeOf(error)} ${messageOf(error)}`))
  return found === undefined ? `check the disk, or set ${setting} to another directory` : found[1](setting)
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? ''

/** By Node's error codes, and by the texts that LMDB passes on from the operating system. */
const remedies: readonly (readonly [RegExp, (setting: string) => string])[] = [
  [
    /ENOSPC|EDQUOT|No space left|quota exceeded/i,
    (setting) => `free space on its disk, or set ${setting} to a directory on another disk`,
  ],
  [
    /EACCES|EPERM|EROFS|Permission denied|not permitted|Read-only/i,
    (setting) => `make it writable for this process, or set ${setting} to a directory that is`,
  ],
  [/ENOTDIR|EEXIST|Not a directory/i, (setting) => `set ${setting} to a path that is no file`],
  [/EMFILE|ENFILE|Too many open files/i, () => 'raise the limit of open files (ulimit -n)'],
  [/ENOMEM|Cannot allocate memory/i, () => 'give the process more memory or address space (ulimit -v)'],
]
