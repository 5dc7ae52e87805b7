import * as z from 'zod'
import { answerSchemas } from './answers.ts'
import type { Route } from './route.ts'

/**
 * The OpenAPI 3.1 document of a table of routes. OpenAPI 3.1 takes JSON Schema as it is, which is what zod writes, so
 * what is described is what requests are checked by.
 */
export const openApiOf = (routes: readonly Route[], title: string): object => ({
  openapi: '3.1.1',
  info: {
    title: `Interactive queries of ${title}`,
    version: '1.0.0',
    description:
      'Reads the state stores of a running application; whichever process is asked answers for all of them. There is no authentication: put it behind something that has one.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  paths: Object.fromEntries(
    Array.from(
      Map.groupBy(routes, ({ path }) => path),
      ([path, methods]) => [
        path,
        Object.fromEntries(methods.map((each) => [each.method.toLowerCase(), operationOf(each)])),
      ],
    ),
  ),
  components: {
    schemas: Object.fromEntries(
      Object.entries(answerSchemas).map(([name, schema]) => [name, jsonSchemaOf(schema)]),
    ),
  },
})

const operationOf = (route: Route): object => ({
  operationId: route.operationId,
  summary: route.summary,
  ...(route.description === undefined ? {} : { description: route.description }),
  parameters: Object.entries(route.parameters.shape).map(([name, schema]) =>
    parameterOf(route, name, schema as z.ZodType),
  ),
  ...(route.body === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          content: { 'application/json': { schema: jsonSchemaOf(route.body) } },
        },
      }),
  responses: Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, schema }]) => [
      status,
      {
        description,
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
      },
    ]),
  ),
})

const parameterOf = ({ path }: Route, name: string, schema: z.ZodType): object => {
  const { description, ...rest } = jsonSchemaOf(schema)
  const inPath = path.includes(`{${name}}`)
  return {
    name,
    in: inPath ? 'path' : 'query',
    required: inPath || !schema.safeParse(undefined).success,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }
}

/** What goes over the wire: what a schema takes, not what it makes of it. */
const jsonSchemaOf = (schema: z.ZodType): { readonly description?: string } => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
