import type * as z from 'zod'
import { Fault } from '../base/fault.ts'

/** What a schema leaves to its values. */
export interface OpenParts {
  /** Only a value shows whether JSON holds it: `z.any()`, `z.custom()`, keys beside the declared ones. */
  readonly hasOpenValues: boolean
  /** The schema does not name all keys, so that a value may have one that zod leaves out. */
  readonly hasOpenKeys: boolean
  /** The schema alone does not bound how deep a value is nested. */
  readonly mayBeDeep: boolean
  /** A value may be read back as another one: texts are trimmed, defaults filled in. */
  readonly changesValues: boolean
  /** The names of the properties that the schema declares, anywhere in it. */
  readonly names: ReadonlySet<string>
}

/**
 * Walks a schema along the side that is written as JSON, and refuses what JSON cannot hold: such values would be written as
 * `{}` or `null`, and they could not be read back. Returns what only the values themselves show.
 */
export const refuseUnwritable = (schema: z.ZodType): OpenParts => {
  const walk = new SchemaWalk()
  walk.visit(schema, [], 'value')
  return walk
}

/**
 * Where a schema stands: undefined is left out by JSON, which only a property reads back that may be absent. What a codec
 * makes of its JSON is `unwritten`: only one-way transforms matter there.
 */
type Place = 'value' | 'property' | 'optionalProperty' | 'unwritten'

class SchemaWalk implements OpenParts {
  hasOpenValues = false
  hasOpenKeys = false
  changesValues = false
  #isSeenAgain = false
  readonly names = new Set<string>()
  readonly #seen: Readonly<Record<Place, Set<unknown>>> = {
    value: new Set(),
    property: new Set(),
    optionalProperty: new Set(),
    unwritten: new Set(),
  }

  /** A schema that is met twice may contain itself. */
  get mayBeDeep(): boolean {
    return this.hasOpenValues || this.#isSeenAgain
  }

  visit(schema: unknown, path: readonly string[], place: Place): void {
    const type = schema as z.core.$ZodTypes
    if (type === undefined) return
    if (this.#seen[place].has(type)) {
      this.#isSeenAgain = true
      return
    }
    this.#seen[place].add(type)
    const { def } = type._zod
    const problem = problemOf(type, place)
    if (problem !== undefined) throw unwritable(path, problem)
    if (isChanging(def)) this.changesValues = true
    switch (def.type) {
      case 'any':
      case 'unknown':
      case 'custom':
        if (place !== 'unwritten') this.hasOpenValues = true
        return
      case 'object':
        for (const [name, property] of this.#shapeOf(() => def.shape)) {
          this.names.add(name)
          this.visit(property, [...path, name], inside(place, 'property'))
        }
        if (def.catchall !== undefined) this.hasOpenKeys = true
        this.visit(def.catchall, [...path, '*'], inside(place, 'property'))
        return
      case 'array':
        this.visit(def.element, [...path, '[]'], inside(place, 'value'))
        return
      case 'tuple':
        for (const [index, item] of def.items.entries())
          this.visit(item, [...path, String(index)], inside(place, 'value'))
        this.visit(def.rest ?? undefined, [...path, '[]'], inside(place, 'value'))
        return
      case 'record':
        this.hasOpenKeys = true
        // What a loose record keeps beside its keys is checked by nothing.
        if (def.mode === 'loose' && place !== 'unwritten') this.hasOpenValues = true
        this.visit(def.keyType, [...path, 'key'], inside(place, 'value'))
        this.visit(def.valueType, [...path, '*'], inside(place, 'value'))
        return
      case 'union':
        for (const option of def.options) this.visit(option, path, place)
        return
      case 'intersection':
        this.visit(def.left, path, place)
        this.visit(def.right, path, place)
        return
      case 'pipe':
        this.#visitPipe(def, path, place)
        return
      case 'lazy':
        for (const [, inner] of this.#shapeOf(() => ({ inner: def.getter() }))) this.visit(inner, path, place)
        return
      case 'optional':
        // An absent property is left out; elsewhere JSON writes null for undefined, which only the value shows.
        if (place === 'value') this.hasOpenValues = true
        this.visit(def.innerType, path, mayBeAbsent(place))
        return
      case 'nullable':
      case 'default':
      case 'prefault':
      case 'nonoptional':
      case 'catch':
      case 'readonly':
        this.visit(def.innerType, path, place)
        return
      case 'bigint':
      case 'boolean':
      case 'date':
      case 'enum':
      case 'file':
      case 'function':
      case 'literal':
      case 'map':
      case 'nan':
      case 'never':
      case 'null':
      case 'number':
      case 'promise':
      case 'set':
      case 'string':
      case 'success':
      case 'symbol':
      case 'template_literal':
      case 'transform':
      case 'undefined':
      case 'void':
        return
    }
  }

  /**
   * A codec writes its input side, and so does a pipe that begins with one. Any other pipe is written from its end to its
   * beginning, and both must be JSON.
   */
  #visitPipe(def: z.core.$ZodPipeDef, path: readonly string[], place: Place): void {
    this.visit(def.in, path, place)
    this.visit(def.out, path, isCodec(def) || beginsWithCodec(def.in) ? 'unwritten' : place)
  }

  /** A schema may refer to one that is declared further down in its file; such a part is checked by its values. */
  #shapeOf(read: () => Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
    try {
      return Object.entries(read())
    } catch {
      this.hasOpenValues = true
      this.changesValues = true
      return []
    }
  }
}

/** Codecs are left out: their two sides stand for one value. */
const isChanging = (def: z.core.$ZodTypes['_zod']['def']): boolean => {
  if (['default', 'prefault', 'catch'].includes(def.type)) return true
  return rewrites(def) || (def.checks ?? []).some((check) => rewrites(check._zod.def))
}

/** True of coercions, and of checks that may set the value: `.trim()`, `.overwrite()`, `z.url({ normalize })`, `.check()`. */
const rewrites = (def: object): boolean => {
  const { coerce, normalize, check, fn } = def as Readonly<Record<string, unknown>>
  return (
    coerce === true ||
    normalize === true ||
    check === 'overwrite' ||
    (check === 'custom' && typeof fn !== 'function')
  )
}

const mayBeAbsent = (place: Place): Place => (place === 'property' ? 'optionalProperty' : place)

/** Parts of what is not written are not written either. */
const inside = (place: Place, part: Place): Place => (place === 'unwritten' ? place : part)

const isCodec = (def: z.core.$ZodPipeDef): boolean => 'reverseTransform' in def

const beginsWithCodec = (schema: z.core.$ZodType): boolean => {
  const { def } = (schema as z.core.$ZodTypes)._zod
  return def.type === 'pipe' && (isCodec(def) || beginsWithCodec(def.in))
}

/** What is wrong with a schema by itself; undefined where JSON holds its values, or its parts decide. */
const problemOf = (type: z.core.$ZodTypes, place: Place): string | undefined => {
  const { def } = type._zod
  if (def.type === 'transform' || def.type === 'success')
    return `a ${def.type} has no way back: what it returns cannot be written`
  if (place === 'unwritten') return undefined
  switch (def.type) {
    case 'map':
    case 'set':
    case 'date':
    case 'bigint':
    case 'symbol':
    case 'function':
    case 'promise':
    case 'file':
    case 'nan':
      return `z.${def.type}() has values that JSON cannot hold`
    case 'undefined':
    case 'void':
      return place === 'optionalProperty' ? undefined : `z.${def.type}() has no JSON; use .optional()`
    case 'literal':
      return literalProblem(def.values, place)
    case 'enum':
      return literalProblem(Object.values(def.entries), place)
    case 'custom': {
      const { Class } = type._zod.bag as { readonly Class?: { readonly name: string } }
      return Class === undefined ? undefined : `JSON does not keep the class of z.instanceof(${Class.name})`
    }
    case 'any':
    case 'array':
    case 'boolean':
    case 'catch':
    case 'default':
    case 'intersection':
    case 'lazy':
    case 'never':
    case 'nonoptional':
    case 'null':
    case 'nullable':
    case 'number':
    case 'object':
    case 'optional':
    case 'pipe':
    case 'prefault':
    case 'readonly':
    case 'record':
    case 'string':
    case 'template_literal':
    case 'tuple':
    case 'union':
    case 'unknown':
      return undefined
  }
}

const literalProblem = (values: readonly unknown[], place: Place): string | undefined => {
  const index = values.findIndex((value) => !isJsonLiteral(value, place))
  return index < 0
    ? undefined
    : `the literal ${String(values[index])} of type ${typeof values[index]} is no JSON value`
}

const isJsonLiteral = (value: unknown, place: Place): boolean => {
  if (value === undefined) return place === 'optionalProperty'
  return typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'bigint'
}

const unwritable = (path: readonly string[], problem: string): Fault =>
  new Fault({
    code: 'SCHEMA_NOT_JSON',
    actor: 'author',
    message: `the schema cannot be written as JSON and read back: ${path.join('.') || 'value'}: ${problem}`,
    remedy:
      'declare it with z.codec(...), whose first schema is what is written (z.codec(z.iso.datetime(), z.date(), ...)), or give a serde of your own',
  })
