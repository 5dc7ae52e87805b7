import type * as z from 'zod'
import { Fault } from '../base/fault.ts'

/**
 * Walks a schema along the side that is written as JSON, and refuses what JSON cannot hold: such values would be written as
 * `{}` or `null`, and nobody could read them back. Returns true where only the values themselves show whether JSON
 * holds them (`z.any()`, `z.custom()`, keys beside the declared ones).
 */
export const refuseUnwritable = (schema: z.ZodType): boolean => {
  const walk = new SchemaWalk()
  walk.visit(schema, [], 'value')
  return walk.hasOpenValues
}

/** Where a schema stands: undefined is left out by JSON, which only a property reads back that may be absent. */
type Place = 'value' | 'property' | 'optionalProperty'

class SchemaWalk {
  hasOpenValues = false
  readonly #seen: Readonly<Record<Place, Set<unknown>>> = {
    value: new Set(),
    property: new Set(),
    optionalProperty: new Set(),
  }

  visit(schema: unknown, path: readonly string[], place: Place): void {
    const type = schema as z.core.$ZodTypes
    if (type === undefined || this.#seen[place].has(type)) return
    this.#seen[place].add(type)
    const { def } = type._zod
    const problem = problemOf(type, place)
    if (problem !== undefined) throw unwritable(path, problem)
    switch (def.type) {
      case 'any':
      case 'unknown':
      case 'custom':
        this.hasOpenValues = true
        return
      case 'object':
        for (const [name, property] of this.#shapeOf(() => def.shape))
          this.visit(property, [...path, name], 'property')
        this.visit(def.catchall, [...path, '*'], 'property')
        return
      case 'array':
        this.visit(def.element, [...path, '[]'], 'value')
        return
      case 'tuple':
        for (const [index, item] of def.items.entries()) this.visit(item, [...path, String(index)], 'value')
        this.visit(def.rest ?? undefined, [...path, '[]'], 'value')
        return
      case 'record':
        this.visit(def.valueType, [...path, '*'], 'value')
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

  /** A codec writes its input side. Any other pipe is written from its end to its beginning, and both must be JSON. */
  #visitPipe(def: z.core.$ZodPipeDef, path: readonly string[], place: Place): void {
    this.visit(def.in, path, place)
    if (!('reverseTransform' in def)) this.visit(def.out, path, place)
  }

  /** A schema may refer to one that is declared further down in its file; such a part is checked by its values. */
  #shapeOf(read: () => Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
    try {
      return Object.entries(read())
    } catch {
      this.hasOpenValues = true
      return []
    }
  }
}

const mayBeAbsent = (place: Place): Place => (place === 'value' ? 'value' : 'optionalProperty')

/** What is wrong with a schema by itself; undefined where JSON holds its values, or its parts decide. */
const problemOf = (type: z.core.$ZodTypes, place: Place): string | undefined => {
  const { def } = type._zod
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
    case 'transform':
    case 'success':
      return `a ${def.type} has no way back: what it returns cannot be written`
    case 'undefined':
    case 'void':
      return place === 'optionalProperty' ? undefined : `z.${def.type}() has no JSON; use .optional()`
    case 'literal':
      return literalProblem(def.values, place)
    case 'custom': {
      const { Class } = type._zod.bag as { readonly Class?: { readonly name: string } }
      return Class === undefined ? undefined : `JSON does not keep the class of z.instanceof(${Class.name})`
    }
    case 'any':
    case 'array':
    case 'boolean':
    case 'catch':
    case 'default':
    case 'enum':
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
  const bad = values.find(
    (value) => typeof value === 'bigint' || (value === undefined && place !== 'optionalProperty'),
  )
  return bad === undefined ? undefined : `a literal of type ${typeof bad} is no JSON value`
}

const unwritable = (path: readonly string[], problem: string): Fault =>
  new Fault({
    code: 'SCHEMA_NOT_JSON',
    actor: 'author',
    message: `the schema cannot be written as JSON and read back: ${path.join('.') || 'value'}: ${problem}`,
    remedy:
      'declare it with z.codec(...), whose first schema is what is written (z.codec(z.iso.datetime(), z.date(), ...)), or give a serde of your own',
  })

/**
 * Refuses a value that JSON would change or lose: NaN and infinities, undefined outside of a property, bigints, functions
 * and symbols, and objects of any class (a Map, a Date).
 */
export const refuseUnheld = (value: unknown, path: readonly string[] = []): void => {
  const problem = unheldProblem(value)
  if (problem !== undefined) throw unheld(path, problem)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseUnheld(item, [...path, String(index)])
    return
  }
  for (const [name, property] of Object.entries(value))
    if (property !== undefined) refuseUnheld(property, [...path, name])
}

const unheldProblem = (value: unknown): string | undefined => {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : `JSON has no ${value}`
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      return `JSON has no ${typeof value}`
    case 'object': {
      if (value === null || Array.isArray(value)) return undefined
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype === Object.prototype || prototype === null) return undefined
      return `JSON does not keep the class ${value.constructor.name}`
    }
    case 'boolean':
    case 'string':
      return undefined
  }
}

const unheld = (path: readonly string[], problem: string): Fault =>
  new Fault({
    code: 'VALUE_NOT_JSON',
    actor: 'record',
    message: `the value cannot be written as JSON and read back: ${path.join('.') || 'value'}: ${problem}`,
    remedy: 'declare it in the schema with z.codec(...), or make it plain data',
  })
