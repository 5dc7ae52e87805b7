import * as z from 'zod'
import { answerSchemas } from './answers.ts'
import type { Route } from './route.ts'

/**
 * The OpenAPI 3.1 document of a table of routes. OpenAPI 3.1 takes JSON Schema as it is, which is what zod writes, so
 * what is described is what requests are checked by.
 */
export const openApiOf = (routes: readonly Route[], title: string, needsToken: boolean): object => ({
  openapi: '3.1.1',
  info: {
    title: `Interactive queries of ${title}`,
    version: '1.0.0',
    description:
      'Reads the state stores of a running application; whichever process is asked answers for all of them.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  security: needsToken ? [{ token: [] }] : [{}, { token: [] }],
  paths: Object.fromEntries(
    Array.from(
      Map.groupBy(routes, ({ path }) => path),
      ([path, methods]) => [
        path,
        Object.fromEntries(methods.map((each) => [each.method.toLowerCase(), operationOf(each, needsToken)])),
      ],
    ),
  ),
  components: {
    securitySchemes: {
      token: {
        type: 'http',
        scheme: 'bearer',
        description:
          'The setting queryToken; a custom authorization of the application may ask for something else.',
      },
      member: {
        type: 'apiKey',
        in: 'header',
        name: 'millrace-signature',
        description:
          'A signature by the setting queryMemberSecret, which processes of the application share.',
      },
    },
    schemas: Object.fromEntries(
      Object.entries(answerSchemas).map(([name, schema]) => [name, jsonSchemaOf(schema)]),
    ),
  },
})

const operationOf = (route: Route, needsToken: boolean): object => ({
  operationId: route.operationId,
  summary: route.summary,
  ...(route.description === undefined ? {} : { description: route.description }),
  ...(route.caller === 'member' ? { security: needsToken ? [{ member: [] }] : [{}, { member: [] }] } : {}),
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
    Object.entries({ ...refusals, ...route.responses }).map(([status, { description, schema }]) => [
      status,
      {
        description,
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
      },
    ]),
  ),
})

/** What the server answers before a route is asked. */
const refusals: Route['responses'] = {
  400: { description: 'The request is wrong.', schema: 'Problem' },
  401: { description: 'The request proves nothing, or the wrong thing.', schema: 'Problem' },
  403: {
    description: 'It may not be answered: to this caller, or to a web page of another site.',
    schema: 'Problem',
  },
  421: { description: 'This server does not answer for that host.', schema: 'Problem' },
}

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
