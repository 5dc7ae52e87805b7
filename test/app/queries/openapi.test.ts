import { describe, expect, it } from 'vitest'
import { answerSchemas } from '../../../src/app/queries/answers.ts'
import type { PageReader } from '../../../src/app/queries/page-reader.ts'
import { queryServer } from '../../../src/app/queries/query-server.ts'
import { routesOf } from '../../../src/app/queries/routes.ts'

/** The document as whoever reads it over HTTP gets it. */
interface OpenApi {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: { readonly type?: string }
  }[]
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: unknown }>>
}

const server = queryServer(routesOf('shop'), () => ({}) as PageReader)

const document = async (): Promise<OpenApi> =>
  (await server.inject({ method: 'GET', url: '/openapi.json' })).json<OpenApi>()

const operations = async (): Promise<readonly (Operation & { path: string; method: string })[]> =>
  Object.entries((await document()).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )

/** Every value under a key of that name, wherever it stands. */
const valuesOf = (name: string, within: unknown): readonly unknown[] =>
  typeof within !== 'object' || within === null
    ? []
    : Object.entries(within).flatMap(([key, value]) => [
        ...(key === name ? [value] : []),
        ...valuesOf(name, value),
      ])

describe('the OpenAPI document', () => {
  it('is of version 3.1 and says what it describes', async () => {
    const { openapi, info } = await document()
    expect(openapi).toMatch(/^3\.1\.\d+$/)
    expect(info).toMatchObject({ title: 'Interactive queries of shop', version: expect.any(String) })
  })

  it('describes every route that the server has, and no other', async () => {
    const described = await operations()
    for (const { path, method } of described)
      expect(
        server.hasRoute({ method: method.toUpperCase(), url: path.replaceAll(/\{(\w+)\}/g, ':$1') }),
        `${method} ${path}`,
      ).toBe(true)
    const methods = [...server.printRoutes({ commonPrefix: false }).matchAll(/\(([A-Z, ]+)\)/g)]
    // Fastify answers HEAD wherever it answers GET.
    const registered = methods
      .flatMap(([, each]) => (each as string).split(', '))
      .filter((each) => each !== 'HEAD')
    expect(registered).toHaveLength(described.length)
  })

  it('resolves every reference', async () => {
    const whole = await document()
    const references = valuesOf('$ref', whole) as readonly string[]
    expect(references.length).toBeGreaterThan(10)
    for (const reference of references) {
      const path = reference.replace(/^#\//, '').split('/')
      const target = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], whole)
      expect(target, reference).toBeTypeOf('object')
    }
    expect(Object.keys(whole.components.schemas)).toEqual(Object.keys(answerSchemas))
  })

  it('gives every operation an id of its own, a summary and what it answers', async () => {
    const all = await operations()
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length)
    for (const { summary, responses } of all) {
      expect(summary).toMatch(/\.$/)
      expect(Object.keys(responses)).toContain('200')
    }
  })

  it('names every parameter of a path as one that is required, and nothing else as one of the path', async () => {
    for (const { path, parameters } of await operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(named)
      for (const each of parameters) if (each.in === 'path') expect(each.required).toBe(true)
    }
  })

  it('has a type for every parameter', async () => {
    const all = (await operations()).flatMap(({ parameters }) => parameters)
    expect(all.length).toBeGreaterThan(10)
    for (const { name, schema } of all) expect(schema.type, name).toMatch(/^(string|integer|number)$/)
  })
})
