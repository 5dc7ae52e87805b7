import type { Stats } from 'node:fs'

/** Another text whenever a file is written or replaced. */
export const fileVersion = ({ mtimeMs, size, ino }: Stats): string => `${mtimeMs} ${size} ${ino}`
