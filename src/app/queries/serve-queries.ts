import type { Clock } from '../../base/clock.ts'
import type { RuntimeListener } from '../../runtime/runtime-settings.ts'
import type { Settings } from '../settings.ts'
import type { Endpoint } from './endpoint.ts'
import { endpointText, isLoopback, parseEndpoint } from './endpoint.ts'
import type { GuardSettings } from './request-guard.ts'
import { notReady, PageReader } from './page-reader.ts'
import { Queries } from './queries.ts'
import type { Route } from './route.ts'
import type { QueryHost } from './query-host.ts'

/** The settings of queries. */
type QuerySettings = Pick<
  Settings,
  | 'applicationServer'
  | 'queryListen'
  | 'healthListen'
  | 'queryAllowedHosts'
  | 'queryAllowedOrigins'
  | 'queryIsolation'
  | 'queryTimeoutMs'
  | 'processingGuarantee'
>

/**
 * Makes an application and starts it, with its queries beside it: the server is open before, so that the group is told
 * the port it got, and closes when the application does.
 */
export const withQueries = async <
  S extends QuerySettings & { readonly applicationId: string },
  A extends QueryHost & Startable,
>(
  settings: S,
  clock: Clock,
  listener: RuntimeListener,
  make: (settings: S) => Promise<A>,
): Promise<A & { readonly queries: Queries }> => {
  const service = await serveQueries(settings.applicationId, settings, {
    clock,
    onWarning: (message) => listener.onWarning?.(message),
  })
  try {
    const application = await make({ ...settings, applicationServer: service.endpoint })
    const queries = service.attach(application)
    application.onRelease(() => service.close())
    await application.start()
    return Object.assign(application, { queries })
  } catch (error) {
    await service.close()
    throw error
  }
}

interface Startable {
  start(): Promise<void>
  /** Called at the very end, and waited for. */
  onRelease(release: () => Promise<void>): void
}

/** The queries of one process: open before its application is made, as the group is told where they are. */
interface QueryService {
  /** What the group is told: `applicationServer` with the port that is really open. */
  readonly endpoint: string | undefined
  /** From here on there is something to ask. */
  attach(host: QueryHost): Queries
  close(): Promise<void>
}

/** Opens the HTTP servers that the settings ask for; without, queries are answered in the process alone. */
const serveQueries = async (
  name: string,
  settings: QuerySettings,
  {
    clock,
    onWarning,
  }: { readonly clock: Clock; readonly onWarning?: ((message: string) => void) | undefined },
): Promise<QueryService> => {
  let pages: PageReader | undefined
  const at = listenerOf(settings)
  const open = opener(name, settings, () => pages ?? starting(name), clock)
  const servers = await openAll(
    at && (() => open(at, 'queries')),
    settings.healthListen && (() => open(parseEndpoint(settings.healthListen as string), 'health')),
  )
  const [server, healthServer] = servers
  const endpoint = endpointOf(settings, server?.port)
  warnOfLoopback(settings, at, onWarning)
  return {
    endpoint,
    attach: (host) => {
      pages = new PageReader({
        host,
        clock,
        endpoint: () => endpoint,
        isolation: settings.queryIsolation ?? usualIsolation[settings.processingGuarantee],
        timeoutMs: settings.queryTimeoutMs,
      })
      return new Queries(pages, { address: server?.address, healthAddress: healthServer?.address })
    },
    close: async () => {
      pages?.close()
      await closeAll(servers)
    },
  }
}

interface OpenServer {
  readonly port: number
  readonly address: string
  readonly close: () => Promise<void>
}

/** Opens one after the other; where one can't be opened, those before it are closed. */
const openAll = async (
  ...openings: readonly ((() => Promise<OpenServer>) | undefined | '')[]
): Promise<readonly (OpenServer | undefined)[]> => {
  const servers: (OpenServer | undefined)[] = []
  try {
    for (const open of openings) servers.push(open ? await open() : undefined)
    return servers
  } catch (error) {
    await closeAll(servers)
    throw error
  }
}

const closeAll = async (servers: readonly (OpenServer | undefined)[]): Promise<void> => {
  await Promise.all(servers.flatMap((each) => each?.close() ?? []))
}

/** As far as a reader of topics sees: under exactly once, what was not committed may never have been. */
const usualIsolation = { at_least_once: 'read_uncommitted', exactly_once: 'read_committed' } as const

/** Loopback, unless somebody says otherwise in so many words. */
const listenerOf = ({ applicationServer, queryListen }: QuerySettings): Endpoint | undefined => {
  if (queryListen !== undefined) return parseEndpoint(queryListen)
  if (applicationServer === undefined) return undefined
  const { host, port } = parseEndpoint(applicationServer)
  return { host: isLoopback(host) ? host : '127.0.0.1', port }
}

const endpointOf = (
  { applicationServer }: QuerySettings,
  openPort: number | undefined,
): string | undefined => {
  if (applicationServer === undefined) return undefined
  const { host, port } = parseEndpoint(applicationServer)
  return endpointText({ host, port: port === 0 ? (openPort as number) : port })
}

/** Opens a server with all routes, or with those of health alone. */
const opener =
  (name: string, settings: QuerySettings, pages: () => PageReader, clock: Clock) =>
  async (at: Endpoint, serves: 'queries' | 'health'): Promise<OpenServer> => {
    // Neither is loaded where no setting asks for a server.
    const [{ closeServer, listen, queryServer }, { HttpListener }] = await Promise.all([
      import('./query-server.ts'),
      import('./http-listener.ts'),
    ])
    const listener = new HttpListener()
    const routes = await routesFor(name, serves)
    const server = queryServer(routes, pages, { listener, guard: guardOf(settings, at) })
    const port = await listen(server, at, serves === 'health' ? 'healthListen' : undefined)
    return {
      port,
      address: endpointText({ host: at.host, port }),
      close: () => closeServer(server, listener, clock),
    }
  }

const routesFor = async (name: string, serves: 'queries' | 'health'): Promise<readonly Route[]> =>
  serves === 'health'
    ? (await import('./health-routes.ts')).healthRoutes
    : (await import('./routes.ts')).routesOf(name)

/** The hosts that the settings name themselves may be asked for. */
const guardOf = (
  { applicationServer, queryListen, healthListen, queryAllowedHosts, queryAllowedOrigins }: QuerySettings,
  { host }: Endpoint,
): GuardSettings => {
  const named = [applicationServer, queryListen, healthListen].filter((each) => each !== undefined)
  return {
    listensOn: host,
    allowedHosts: [...named.map((each) => parseEndpoint(each).host), ...(queryAllowedHosts ?? [])],
    allowedOrigins: queryAllowedOrigins ?? [],
  }
}

const starting = (name: string): never => {
  throw notReady(`application '${name}' is starting`)
}

const warnOfLoopback = (
  { applicationServer, queryListen }: QuerySettings,
  at: Endpoint | undefined,
  onWarning: ((message: string) => void) | undefined,
): void => {
  if (applicationServer === undefined || queryListen !== undefined || at === undefined) return
  if (isLoopback(parseEndpoint(applicationServer).host)) return
  onWarning?.(
    `others are told to ask ${applicationServer}, but queries are served on ${at.host} alone; set queryListen, as to 0.0.0.0:${at.port}`,
  )
}
