import { parseAst } from 'vitest/node'
import type { SourceFile } from './imports.ts'
import { importsOf, resolveImport, withoutComments } from './imports.ts'

/** A number and what it is of. */
export interface Measured {
  readonly name: string
  readonly count: number
}

/** Lines per file, comments and empty lines included; the longest first. */
export const fileLengths = (files: readonly SourceFile[]): readonly Measured[] =>
  longestFirst(files.map(({ path, text }) => ({ name: path, count: lineAt(text, text.trimEnd().length) })))

/**
 * Lines per named function, from its first to its last: declarations, methods, accessors, constructors, and functions
 * that a variable or a property holds. A callback is part of the function it is written in.
 */
export const functionLengths = (files: readonly SourceFile[]): readonly Measured[] =>
  longestFirst(
    files.flatMap(({ path, text }) => {
      const found: Measured[] = []
      walk(parse(path, text), (node) => {
        const named = namedFunction(node)
        if (named === undefined) return
        const { start, end } = named.body
        found.push({
          name: `${path} ${named.name}`,
          count: lineAt(text, end) - lineAt(text, start) + 1,
        })
      })
      return found
    }),
  )

/** Fields per class that may be assigned again: instance fields without `readonly`, private ones included. */
export const mutableFields = (files: readonly SourceFile[]): readonly Measured[] =>
  longestFirst(
    files.flatMap(({ path, text }) => {
      const found: Measured[] = []
      walk(parse(path, text), (node) => {
        if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') return
        const fields = nodesIn((node['body'] as Node)['body']).filter(isMutableField)
        found.push({ name: `${path} ${nameOf(node['id'])}`, count: fields.length })
      })
      return found
    }),
  )

/** Import statements by importing room, then by imported room. A file in no room belongs to the room `(top)`. */
export const roomImports = (
  files: readonly SourceFile[],
  root: string,
): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const paths = new Set(files.map(({ path }) => path))
  const rooms = new Map<string, Map<string, number>>()
  for (const { path, text } of files) {
    const row = rooms.get(roomOf(path, root)) ?? new Map<string, number>()
    rooms.set(roomOf(path, root), row)
    for (const { from } of importsOf(text)) {
      const target = resolveImport(path, from)
      const room = roomOf(target, root)
      if (paths.has(target) && room !== roomOf(path, root)) row.set(room, (row.get(room) ?? 0) + 1)
    }
  }
  return rooms
}

/** How many files have this word in their code, outside of comments. */
export const filesWith = (files: readonly SourceFile[], word: string): number => {
  const pattern = new RegExp(`\\b${word}\\b`)
  return files.filter(({ text }) => pattern.test(withoutComments(text))).length
}

/** The smallest count that at least this share of all does not exceed; 0 where there is none. */
export const percentile = (measured: readonly Measured[], share: number): number => {
  const counts = measured.map(({ count }) => count).toSorted((left, right) => left - right)
  return counts[Math.max(0, Math.ceil(counts.length * share) - 1)] ?? 0
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

const parse = (path: string, text: string): Node => parseAst(text, { lang: 'ts' }, path) as unknown as Node

/** Calls `visit` for each node, outer ones first. */
const walk = (node: Node, visit: (node: Node) => void): void => {
  visit(node)
  for (const value of Object.values(node)) for (const child of nodesIn(value)) walk(child, visit)
}

const nodesIn = (value: unknown): readonly Node[] =>
  (Array.isArray(value) ? value : [value]).filter(
    (each): each is Node => typeof (each as Partial<Node> | null | undefined)?.type === 'string',
  )

/** The function that this node gives a name, if it does. An overload has no body and does not count. */
const namedFunction = (node: Node): { readonly name: string; readonly body: Node } | undefined => {
  if (node.type === 'FunctionDeclaration') return { name: nameOf(node['id']), body: node }
  if (node.type === 'VariableDeclarator') return held(node, node['id'], node['init'])
  if (node.type === 'MethodDefinition' || node.type === 'PropertyDefinition' || node.type === 'Property')
    return held(node, node['key'], node['value'])
  return undefined
}

const held = (node: Node, name: unknown, value: unknown): ReturnType<typeof namedFunction> =>
  functionTypes.has((value as Node | null)?.type) ? { name: nameOf(name), body: node } : undefined

const functionTypes: ReadonlySet<unknown> = new Set(['FunctionExpression', 'ArrowFunctionExpression'])

const isMutableField = (node: Node): boolean =>
  (node.type === 'PropertyDefinition' || node.type === 'AccessorProperty') &&
  node['readonly'] !== true &&
  node['static'] !== true

const nameOf = (node: unknown): string => {
  const { type, name, value } = (node ?? {}) as { readonly type?: string; name?: string; value?: string }
  return type === 'PrivateIdentifier' ? `#${name}` : (name ?? value ?? '(without name)')
}

const roomOf = (path: string, root: string): string => {
  const [room, ...rest] = path.slice(root.length + 1).split('/')
  return rest.length === 0 ? '(top)' : (room as string)
}

/** The number of the line that this position is in. */
const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length

const longestFirst = (measured: readonly Measured[]): readonly Measured[] =>
  measured.toSorted((left, right) => right.count - left.count)
