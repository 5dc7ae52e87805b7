import { healthRoutes } from './health-routes.ts'
import { openApiOf } from './openapi.ts'
import type { Route } from './route.ts'
import { noParameters, ok, route } from './route.ts'
import { storeRoutes } from './store-routes.ts'

/** Every route there is, with the one that describes them all. */
export const routesOf = (
  title: string,
  { needsToken = false }: { readonly needsToken?: boolean } = {},
): readonly Route[] => {
  const routes: readonly Route[] = [
    ...storeRoutes,
    ...healthRoutes,
    route({
      method: 'GET',
      path: '/openapi.json',
      operationId: 'describeApi',
      summary: 'This description, as OpenAPI 3.1.',
      parameters: noParameters,
      responses: { 200: { description: 'The description.', schema: 'OpenApi' } },
      handle: () => ok(document),
    }),
  ]
  const document = openApiOf(routes, title, needsToken)
  return routes
}
