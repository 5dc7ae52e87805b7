import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rooms } from '../support/tidy-rules.ts'

const page = readFileSync('ARCHITECTURE.md', 'utf8')

interface Row {
  readonly room: string
  readonly rooms: string
  readonly packages: string
}

const rows: readonly Row[] = [
  ...page.matchAll(/^\| `(\w+)\/` *\| [^|]* \| ([^|]*?) *\| ([^|]*?) *\|$/gm),
].map(([, room = '', imported = '', packages = '']) => ({ room, rooms: imported, packages }))

/** The rooms that a cell names: all of them, or `all above but …`. */
const roomsIn = ({ room, rooms: cell }: Row): readonly string[] => {
  if (cell === '–') return []
  const exceptions = /^all above but (.*)$/.exec(cell)?.[1]?.split(' ')
  if (exceptions === undefined) return cell.split(' ')
  const above = rows.slice(
    0,
    rows.findIndex((each) => each.room === room),
  )
  return above.map((each) => each.room).filter((each) => !exceptions.includes(each))
}

/** `rxjs, zod (types)` allows only the types of the packages of a cell; a package before others is checked alone. */
const packagesIn = (cell: string): readonly string[] =>
  cell === '–' ? [] : cell.replace(' (types)', '').split(', ')

describe('ARCHITECTURE.md', () => {
  it('has at most 150 lines', () => {
    expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(150)
  })

  it('has the room table that test/tidy.test.ts enforces', () => {
    const documented = Object.fromEntries(
      rows.map((row) => [
        row.room,
        { rooms: roomsIn(row).toSorted(), packages: packagesIn(row.packages).toSorted() },
      ]),
    )
    const enforced = Object.fromEntries(
      Object.entries(rooms).map(([room, rule]) => [
        room,
        {
          rooms: rule.rooms.toSorted(),
          packages: rule.packages.map((name) => name.replace('types:', '')).toSorted(),
        },
      ]),
    )
    expect(documented).toEqual(enforced)
  })

  it('gives a reason for each dependency', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: object
      devDependencies: object
    }
    const names = Object.keys({ ...dependencies, ...devDependencies })
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})

const pages = [
  'ARCHITECTURE.md',
  'README.md',
  'docs/adding.md',
  'docs/performance.md',
  ...Object.keys(rooms)
    .map((room) => `src/${room}/DESIGN.md`)
    .filter((path) => existsSync(path)),
]

it.each(pages)('every link of %s leads to a file', (path) => {
  const links = [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(
    ([, to = '']) => to,
  )
  expect(links.filter((to) => !existsSync(join(dirname(path), to)))).toEqual([])
})
