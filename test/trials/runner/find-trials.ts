import { globSync } from 'node:fs'
import { join } from 'node:path'
import type { Trial } from '../trial.ts'

/** A trial and the module that exports it, for the process that runs it. */
export interface FoundTrial extends Trial {
  readonly file: string
}

/** The trials that the modules of this folder export, by name. Modules in its subfolders are their helpers. */
export const trialsIn = async (folder: string): Promise<readonly FoundTrial[]> => {
  const files = globSync('*.ts', { cwd: folder })
    .filter((file) => !notTrials.has(file) && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
  const found = (await Promise.all(files.map(trialsOf))).flat()
  return found.toSorted((left, right) => left.name.localeCompare(right.name))
}

const notTrials = new Set(['main.ts', 'trial.ts'])

const trialsOf = async (file: string): Promise<readonly FoundTrial[]> => {
  const { trial, trials = [] } = (await import(file)) as {
    readonly trial?: Trial
    readonly trials?: readonly Trial[]
  }
  const exported = trial === undefined ? trials : [trial, ...trials]
  if (exported.length === 0) throw new Error(`${file} exports neither a trial nor trials`)
  return exported.map((each) => ({ ...each, file }))
}
