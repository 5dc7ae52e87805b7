import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface LockEntry {
  readonly link?: boolean
  readonly dev?: boolean
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
}

const parsed = <T>(file: string): T =>
  JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')) as T

const { packages } = parsed<{ readonly packages: Readonly<Record<string, LockEntry>> }>('package-lock.json')
const entries = Object.entries(packages).filter(([path, { link }]) => path !== '' && link !== true)
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

describe('package-lock.json', () => {
  it('has a SHA-512 hash of every package, of those for other platforms too', () => {
    const unverified = entries.filter(
      ([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''),
    )
    expect(unverified.map(([path]) => path)).toEqual([])
  })

  it('takes packages from the registry alone, from no address of its own', () => {
    const elsewhere = entries.filter(
      ([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'),
    )
    expect(elsewhere.map(([path]) => path)).toEqual([])
  })
})

describe('install scripts', () => {
  const scripted = (isWanted: (entry: LockEntry) => boolean): readonly string[] => [
    ...new Set(
      entries
        .filter(([, entry]) => entry.hasInstallScript === true && isWanted(entry))
        .map(([path]) => nameOf(path)),
    ),
  ]

  it('of what users install are those of lmdb and its decoder alone', () => {
    expect(scripted(({ dev }) => dev !== true).toSorted()).toEqual(['lmdb', 'msgpackr-extract'])
  })

  it('are each allowed or refused by name', () => {
    const { allowScripts } = parsed<{ readonly allowScripts: Readonly<Record<string, boolean>> }>(
      'package.json',
    )
    expect(Object.keys(allowScripts).toSorted()).toEqual(scripted(() => true).toSorted())
    const allowed = Object.entries(allowScripts).filter(([, isAllowed]) => isAllowed)
    expect(allowed.map(([name]) => name).toSorted()).toEqual(['lmdb', 'msgpackr-extract', 'node'])
  })
})

describe('the published package', () => {
  it('has no install script of its own, and is built with a list of its parts', () => {
    const { scripts } = parsed<{ readonly scripts: Readonly<Record<string, string>> }>('package.json')
    expect(Object.keys(scripts).filter((name) => /install|prepare/.test(name))).toEqual([])
    expect(scripts['build']).toContain('npm sbom')
  })
})
