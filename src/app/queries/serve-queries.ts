import type { Clock } from '../../base/clock.ts'
import type { EventFields, RuntimeListener } from '../../runtime/runtime-settings.ts'
import type { Secret } from '../secret.ts'
import { CurrentSecret } from '../secret.ts'
import type { Settings } from '../settings.ts'
import type { Endpoint } from './endpoint.ts'
import { endpointText, isLoopback, parseEndpoint } from './endpoint.ts'
import type { MemberAddressSettings } from './member-addresses.ts'
import { MemberClient } from './member-client.ts'
import type { ChangesOf } from './page-reader.ts'
import { notReady, PageReader } from './page-reader.ts'
import { PageTokens } from './page-token.ts'
import { Queries } from './queries.ts'
import type { QueryHost } from './query-host.ts'
import { QueryTls } from './query-tls.ts'
import type { Authorization } from './request-access.ts'
import { RequestAccess } from './request-access.ts'
import type { GuardSettings } from './request-guard.ts'
import type { Route } from './route.ts'

/** The settings of queries. */
type QuerySettings = Pick<
  Settings,
  | 'applicationServer'
  | 'queryListen'
  | 'healthListen'
  | 'queryAllowedHosts'
  | 'queryAllowedOrigins'
  | 'queryToken'
  | 'queryMemberSecret'
  | 'queryMemberHosts'
  | 'queryTls'
  | 'maxRequestSize'
  | 'queryIsolation'
  | 'queryTimeoutMs'
  | 'processingGuarantee'
>

/**
 * Makes an application and starts it, with its queries beside it: the server is open before, so that the group gets
 * the port it got, and closes when the application does.
 */
export const withQueries = async <
  S extends QuerySettings & { readonly applicationId: string },
  A extends QueryHost & Startable,
>(
  settings: S,
  { clock, listener, authorization, changesOf }: QueryPorts,
  make: (settings: S) => Promise<A>,
): Promise<A & { readonly queries: Queries }> => {
  const service = await serveQueries(settings.applicationId, settings, {
    clock,
    authorization,
    changesOf,
    onWarning: (message, fields) => listener.onWarning?.(message, fields),
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

interface QueryPorts {
  readonly clock: Clock
  readonly listener: RuntimeListener
  /** Decides who may read, beside the token. */
  readonly authorization: Authorization | undefined
  /** What changes in a store of the application. */
  readonly changesOf: ChangesOf
}

interface Startable {
  start(): Promise<void>
  /** Called at the very end, and waited for. */
  onRelease(release: () => Promise<void>): void
}

/** The queries of one process: open before its application is made, as the group gets where they are. */
interface QueryService {
  /** What the group gets: `applicationServer` with the port that is really open. */
  readonly endpoint: string | undefined
  /** From here on there is something to ask. */
  attach(host: QueryHost): Queries
  close(): Promise<void>
}

/** Opens the HTTP servers that the settings ask for; without, queries are answered in the process alone. */
const serveQueries = async (
  name: string,
  settings: QuerySettings,
  { clock, authorization, changesOf, onWarning }: ServicePorts,
): Promise<QueryService> => {
  let pages: PageReader | undefined
  let endpoint: string | undefined
  const at = listenerOf(settings)
  const tls = settings.queryTls && new QueryTls(settings.queryTls)
  const token = secretOf('queryToken', settings.queryToken)
  const memberSecret = secretOf('queryMemberSecret', settings.queryMemberSecret) ?? token
  const access = new RequestAccess({
    ...{ clock, token, memberSecret, authorization, onWarning },
    endpoint: () => endpoint,
  })
  const open = opener(name, settings, () => pages ?? starting(name), { clock, tls, onWarning })
  const { healthListen } = settings
  const servers = await openAll(
    at && (() => open(at, access)),
    healthListen === undefined ? undefined : () => open(parseEndpoint(healthListen), undefined),
  )
  const [server, healthServer] = servers
  endpoint = endpointOf(settings, server?.port)
  warnOfLoopback(settings, at, onWarning)
  warnOfOpenListener(settings, at, authorization, onWarning)
  return {
    endpoint,
    attach: (host) => {
      pages = new PageReader({
        host,
        clock,
        endpoint: () => endpoint,
        isolation: settings.queryIsolation ?? usualIsolation[settings.processingGuarantee],
        timeoutMs: settings.queryTimeoutMs,
        members: new MemberClient({
          clock,
          addresses: addressesOf(settings, at),
          secret: memberSecret,
          tls: tls && (() => tls.client),
          maxRowBytes: settings.maxRequestSize,
        }),
        tokens: new PageTokens(memberSecret),
        changesOf,
      })
      return new Queries(pages, { address: server?.address, healthAddress: healthServer?.address })
    },
    close: async () => {
      pages?.close()
      await closeAll(servers)
    },
  }
}

type OnWarning = (message: string, fields?: EventFields) => void

interface ServicePorts {
  readonly clock: Clock
  readonly authorization: Authorization | undefined
  readonly changesOf: ChangesOf
  readonly onWarning: OnWarning
}

const secretOf = (setting: string, secret: Secret | undefined): CurrentSecret | undefined =>
  secret === undefined ? undefined : new CurrentSecret(setting, secret)

const addressesOf = (
  { applicationServer, queryMemberHosts }: QuerySettings,
  at: Endpoint | undefined,
): MemberAddressSettings => ({
  memberHosts: queryMemberHosts,
  ownHost: applicationServer === undefined ? at?.host : parseEndpoint(applicationServer).host,
})

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

/** Loopback, unless `queryListen` says otherwise. */
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

/** Opens a server: with all routes for those who have access, or else with those of health, for everybody. */
const opener =
  (
    name: string,
    settings: QuerySettings,
    pages: () => PageReader,
    {
      clock,
      tls,
      onWarning,
    }: Pick<ServicePorts, 'clock' | 'onWarning'> & { readonly tls: QueryTls | undefined },
  ) =>
  async (at: Endpoint, access: RequestAccess | undefined): Promise<OpenServer> => {
    // None is loaded where no setting asks for a server.
    const [{ closeServer, listen, queryServer }, { HttpListener }, routes] = await Promise.all([
      import('./query-server.ts'),
      import('./http-listener.ts'),
      access === undefined ? healthRoutesAlone() : allRoutes(name, settings),
    ])
    const listener = new HttpListener()
    // Probes of orchestrators check no certificate, and have none.
    const ownTls = access === undefined ? undefined : tls
    const server = queryServer(routes, pages, {
      listener,
      access,
      guard: guardOf(settings, at),
      tls: ownTls?.server,
    })
    const port = await listen(server, at, access === undefined ? 'healthListen' : undefined)
    const unwatch = ownTls?.watch(() => listener.renewTls(ownTls.server), onWarning)
    return {
      port,
      address: endpointText({ host: at.host, port }),
      close: () => {
        unwatch?.()
        return closeServer(server, listener, clock)
      },
    }
  }

const healthRoutesAlone = async (): Promise<readonly Route[]> =>
  (await import('./health-routes.ts')).healthRoutes

const allRoutes = async (name: string, { queryToken }: QuerySettings): Promise<readonly Route[]> =>
  (await import('./routes.ts')).routesOf(name, { needsToken: queryToken !== undefined })

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
  onWarning: OnWarning,
): void => {
  if (applicationServer === undefined || queryListen !== undefined || at === undefined) return
  if (isLoopback(parseEndpoint(applicationServer).host)) return
  onWarning(
    `others ask ${applicationServer}, but queries are served on ${at.host} alone; set queryListen, as to 0.0.0.0:${at.port}`,
  )
}

const warnOfOpenListener = (
  { applicationServer, queryToken, queryMemberSecret, queryTls }: QuerySettings,
  at: Endpoint | undefined,
  authorization: Authorization | undefined,
  onWarning: OnWarning,
): void => {
  const isOpen =
    queryToken === undefined && authorization === undefined && queryTls?.clientAuth !== 'required'
  if (isOpen && at !== undefined && !isLoopback(at.host))
    onWarning(
      `queries on ${endpointText(at)} are open to every client that reaches it; set queryToken, the option authorization, or queryTls with clientAuth required`,
      { code: 'QUERIES_OPEN' },
    )
  if (queryToken !== undefined && queryTls === undefined && at !== undefined && !isLoopback(at.host))
    onWarning(
      `clients send the queryToken to ${endpointText(at)} as readable text, and rows are answered so; set queryTls, or listen on loopback behind a proxy that ends TLS`,
      { code: 'QUERY_TOKEN_WITHOUT_TLS' },
    )
  const hasSecret = queryToken !== undefined || queryMemberSecret !== undefined
  if (authorization !== undefined && !hasSecret && applicationServer !== undefined)
    onWarning(
      'the option authorization is asked about the processes of the application too, which prove nothing; set queryMemberSecret',
      { code: 'QUERIES_UNPROVEN' },
    )
}
