import * as z from 'zod'
import type { PageReader } from './page-reader.ts'

/**
 * The HTTP interface as data: each route with what it takes and answers. The server registers this table and the
 * OpenAPI document is made from it, so there is no route that is not described.
 */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** As OpenAPI writes it: `/stores/{store}`. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  /** The parameters in the path and behind the question mark; anything else is refused. */
  readonly parameters: z.ZodObject
  readonly body?: z.ZodType
  /** Who may call it: `member` is another process of the application. */
  readonly caller?: 'member'
  readonly responses: Readonly<Record<number, { readonly description: string; readonly schema: SchemaName }>>
  readonly handle: (request: RouteRequest, pages: PageReader) => Promise<RouteAnswer> | RouteAnswer
}

/** A request whose parameters and body have been parsed by the route's schemas. */
export interface RouteRequest {
  readonly parameters: unknown
  readonly body: unknown
}

export interface RouteAnswer {
  readonly status: number
  readonly body: unknown
}

/** A route whose handler is typed by its own schemas. */
export const route = <P extends z.ZodObject, B extends z.ZodType = z.ZodUndefined>(
  definition: Omit<Route, 'parameters' | 'body' | 'handle'> & {
    readonly parameters: P
    readonly body?: B
    readonly handle: (
      request: { readonly parameters: z.output<P>; readonly body: z.output<B> },
      pages: PageReader,
    ) => Promise<RouteAnswer> | RouteAnswer
  },
): Route => definition as unknown as Route

export const ok = (body: unknown): RouteAnswer => ({ status: 200, body })

export const noParameters = z.strictObject({})

/** The names of the schemas in answers.ts. */
export type SchemaName =
  | 'Problem'
  | 'StoreList'
  | 'Store'
  | 'KeyOwner'
  | 'Row'
  | 'Page'
  | 'StorePage'
  | 'Liveness'
  | 'Readiness'
  | 'Metrics'
  | 'OpenApi'
