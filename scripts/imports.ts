/** The imports of source files, read from their text, and the cycles they form. */
export interface SourceFile {
  /** Relative to the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Import {
  readonly from: string
  readonly typeOnly: boolean
}

/** Imports and re-exports; dynamic imports count as values. */
export const importsOf = (text: string): readonly Import[] => {
  const code = withoutComments(text)
  const statics = [
    ...code.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm),
  ]
  const dynamics = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)]
  return [
    ...statics.map(([, type, from]) => ({ from: from as string, typeOnly: type !== undefined })),
    ...dynamics.map(([, from]) => ({ from: from as string, typeOnly: false })),
  ]
}

export const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')

/** The path of a relative import. */
export const resolveImport = (path: string, from: string): string => {
  const parts = path.split('/').slice(0, -1)
  for (const part of from.split('/'))
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  return parts.join('/')
}

/**
 * The import cycles among these files, type imports included: each is a group of files of which every one reaches every
 * other by imports. The algorithm is Tarjan's for strongly connected components.
 */
export const importCycles = (files: readonly SourceFile[]): readonly (readonly string[])[] => {
  const graph = importGraph(files)
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const cycles: (readonly string[])[] = []
  const lower = (path: string, to: number): void => {
    lowest.set(path, Math.min(lowest.get(path) as number, to))
  }
  const visit = (path: string): void => {
    const position = order.size
    order.set(path, position)
    lowest.set(path, position)
    open.push(path)
    for (const imported of graph.get(path) as ReadonlySet<string>)
      if (!order.has(imported)) {
        visit(imported)
        lower(path, lowest.get(imported) as number)
      } else if (open.includes(imported)) lower(path, order.get(imported) as number)
    if (lowest.get(path) !== position) return
    const group = open.splice(open.indexOf(path))
    if (group.length > 1 || graph.get(path)?.has(path) === true) cycles.push(group.toSorted())
  }
  for (const { path } of files) if (!order.has(path)) visit(path)
  return cycles
}

/** Which of these files each of them imports. */
const importGraph = (files: readonly SourceFile[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const paths = new Set(files.map(({ path }) => path))
  return new Map(
    files.map(({ path, text }) => {
      const targets = importsOf(text).map(({ from }) => resolveImport(path, from))
      return [path, new Set(targets.filter((target) => paths.has(target)))]
    }),
  )
}
