/**
 * Reads the public API of emitted declarations: what each entry point exports, which types its signatures mention, and
 * what is documented.
 */
import { writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import {
  isExportDeclaration,
  isExportSpecifier,
  isExpressionWithTypeArguments,
  isFunctionTypeNode,
  isHeritageClause,
  isImportTypeNode,
  isJSDoc,
  isPrivateIdentifier,
  isQualifiedName,
  isTypeQueryNode,
  isTypeReferenceNode,
  isVariableDeclaration,
  SyntaxKind,
  type Node,
} from 'typescript/unstable/ast'
import { API, SymbolFlags, type Project, type Symbol } from 'typescript/unstable/sync'

/** An entry point: a declaration file, and the entry points whose exports its users have as well. */
export interface EntryPoint {
  readonly file: string
  readonly besides?: readonly string[]
}

export interface PublicApi {
  /** Types in signatures that no entry point exports: `Name (file), used by Export.member`. */
  readonly unexported: readonly string[]
  /** Exports without a docstring of their own: `Name (file)`. */
  readonly undocumented: readonly string[]
  /** Exported functions whose docstring has no `@example`: `Name (file)`. */
  readonly withoutExample: readonly string[]
  /** The number of exports, so that a test sees that something was read. */
  readonly exports: number
}

/** Reads the API of the entry points among the declaration files in `folder`. */
export const publicApiOf = (folder: string, entryPoints: readonly EntryPoint[]): PublicApi => {
  const config = resolve(folder, 'tsconfig.json')
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        noLib: true,
        types: [],
        allowImportingTsExtensions: true,
        noEmit: true,
      },
      files: entryPoints.map(({ file }) => file),
    }),
  )
  const api = new API()
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)!
    return new Reader(project, resolve(folder)).read(entryPoints)
  } finally {
    api.close()
  }
}

interface Exported {
  readonly symbol: Symbol
  /** True if only the type is exported, so that users cannot call the constructor. */
  readonly typeOnly: boolean
}

class Reader {
  readonly #project: Project
  readonly #folder: string
  /** What a declaration mentions, by symbol; constructors are counted if `withConstructor`. */
  readonly #mentioned = new Map<string, ReadonlyMap<Symbol, string>>()

  constructor(project: Project, folder: string) {
    this.#project = project
    this.#folder = folder
  }

  read(entryPoints: readonly EntryPoint[]): PublicApi {
    const unexported = new Set<string>()
    const undocumented = new Set<string>()
    const withoutExample = new Set<string>()
    let exports = 0
    for (const { file, besides = [] } of entryPoints) {
      const exported = this.#exportsOf(file)
      exports += exported.length
      const known = new Set(
        [...exported, ...besides.flatMap((each) => this.#exportsOf(each))].map(({ symbol }) => symbol.id),
      )
      for (const each of this.#leaks(exported, known)) unexported.add(each)
      for (const { symbol } of exported) {
        const { checker } = this.#project
        if (symbol.getDocumentationComment(checker).trim() === '') undocumented.add(this.#placeOf(symbol))
        const isFunction = symbol.flags & SymbolFlags.Function || this.#isFunctionConst(symbol)
        if (isFunction && !symbol.getJsDocTags(checker).some(({ name }) => name === 'example'))
          withoutExample.add(this.#placeOf(symbol))
      }
    }
    return {
      unexported: [...unexported].toSorted(),
      undocumented: [...undocumented].toSorted(),
      withoutExample: [...withoutExample].toSorted(),
      exports,
    }
  }

  #exportsOf(file: string): Exported[] {
    const { checker, program } = this.#project
    const source = program.getSourceFile(resolve(this.#folder, file))!
    const module = checker.getSymbolAtLocation(source)!
    return checker.getExportsOfModule(module).map((symbol) => ({
      symbol: this.#target(symbol),
      typeOnly: symbol.declarations.some((each) => isTypeOnlyExport(each.resolve()!)),
    }))
  }

  *#leaks(exported: readonly Exported[], known: ReadonlySet<number>): Iterable<string> {
    const seen = new Set<number>()
    const waiting = [...exported]
    for (const { symbol, typeOnly } of waiting)
      for (const [mentioned, by] of this.#mentionsOf(symbol, !typeOnly)) {
        if (known.has(mentioned.id) || seen.has(mentioned.id)) continue
        seen.add(mentioned.id)
        waiting.push({ symbol: mentioned, typeOnly: true })
        // `typeof` of a constant shows the type of the constant, not its name.
        if (mentioned.flags & SymbolFlags.Type) yield `${this.#placeOf(mentioned)}, used by ${by}`
      }
  }

  /** The symbols of this package that the public part of a declaration mentions, each with the member that does. */
  #mentionsOf(symbol: Symbol, withConstructor: boolean): ReadonlyMap<Symbol, string> {
    const key = `${symbol.id} ${withConstructor}`
    const found = this.#mentioned.get(key)
    if (found !== undefined) return found
    const names: { readonly node: Node; readonly by: string }[] = []
    for (const handle of symbol.declarations)
      for (const node of namesIn(handle.resolve()!, symbol.name, withConstructor)) names.push(node)
    const symbols = this.#project.checker.getSymbolAtLocation(names.map(({ node }) => node))
    const mentioned = new Map<Symbol, string>()
    for (const [index, each] of symbols.entries()) {
      if (each === undefined || each.flags & SymbolFlags.TypeParameter) continue
      const target = this.#target(each)
      if (target !== symbol && this.#isOurs(target) && !mentioned.has(target))
        mentioned.set(target, names[index]!.by)
    }
    this.#mentioned.set(key, mentioned)
    return mentioned
  }

  #target(symbol: Symbol): Symbol {
    return symbol.flags & SymbolFlags.Alias ? this.#project.checker.getAliasedSymbol(symbol) : symbol
  }

  #isOurs(symbol: Symbol): boolean {
    return symbol.declarations[0]?.path.startsWith(`${this.#folder}/`) === true
  }

  #isFunctionConst(symbol: Symbol): boolean {
    const node = symbol.declarations[0]?.resolve()
    return (
      node !== undefined &&
      isVariableDeclaration(node) &&
      node.type !== undefined &&
      isFunctionTypeNode(node.type)
    )
  }

  #placeOf(symbol: Symbol): string {
    const path = symbol.declarations[0]?.path ?? ''
    return `${symbol.name} (${relative(this.#folder, path).replace(/\.d\.ts$/, '.ts')})`
  }
}

const isTypeOnlyExport = (node: Node): boolean => {
  if (!isExportSpecifier(node)) return false
  const declaration: Node = node.parent.parent
  return node.isTypeOnly || (isExportDeclaration(declaration) && declaration.isTypeOnly)
}

/** The names of types in the public part of a declaration. */
function* namesIn(
  node: Node,
  by: string,
  withConstructor: boolean,
): Iterable<{ readonly node: Node; readonly by: string }> {
  if (
    isHidden(node) ||
    isImplementsClause(node) ||
    (node.kind === SyntaxKind.Constructor && !withConstructor)
  )
    return
  const within = isMember(node) ? `${by}.${(node as unknown as { name: Node }).name.getText()}` : by
  const reference = referenceIn(node)
  if (reference !== undefined) yield { node: reference, by: within }
  const children: Node[] = []
  node.forEachChild((child) => void children.push(child))
  for (const child of children) yield* namesIn(child, within, withConstructor)
}

const isMember = ({ kind }: Node): boolean =>
  kind === SyntaxKind.PropertySignature ||
  kind === SyntaxKind.MethodSignature ||
  kind === SyntaxKind.PropertyDeclaration ||
  kind === SyntaxKind.MethodDeclaration ||
  kind === SyntaxKind.GetAccessor

/** An `implements` clause adds nothing to a class that its members do not show. */
const isImplementsClause = (node: Node): boolean =>
  isHeritageClause(node) && node.token === SyntaxKind.ImplementsKeyword

/** True for what users cannot reach: private members, and those that are marked `@internal`. */
const isHidden = (node: Node): boolean => {
  const { name, modifiers } = node as { name?: Node; modifiers?: readonly Node[] }
  if (name !== undefined && isPrivateIdentifier(name)) return true
  if (modifiers?.some(({ kind }) => kind === SyntaxKind.PrivateKeyword) === true) return true
  return (node.jsDoc ?? []).some(
    (doc) => isJSDoc(doc) && (doc.tags ?? []).some(({ tagName }) => tagName.text === 'internal'),
  )
}

/** The identifier that a reference to a type or a `typeof` names; undefined for other nodes. */
const referenceIn = (node: Node): Node | undefined => {
  if (isTypeReferenceNode(node)) return rightmost(node.typeName)
  if (isExpressionWithTypeArguments(node)) return node.expression
  if (isTypeQueryNode(node)) return rightmost(node.exprName)
  if (isImportTypeNode(node) && node.qualifier !== undefined) return rightmost(node.qualifier)
  return undefined
}

const rightmost = (name: Node): Node => (isQualifiedName(name) ? name.right : name)
