import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '../../base/fault.ts'
import { hostOfAuthority, isListed, isNaturalHost } from './host-names.ts'
import { badQuery } from './key-text.ts'

/** Whose requests a listener answers, by the names they use. */
export interface GuardSettings {
  /** Where it listens. */
  readonly listensOn: string
  /** Hosts that requests may name besides those that are natural for the address. */
  readonly allowedHosts: readonly string[]
  /** Origins of web pages that may read the answers. */
  readonly allowedOrigins: readonly string[]
}

/** What of a request says where it comes from and whom it is meant for. */
export interface RequestSource {
  readonly httpVersion: string
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came: a header that came twice is twice in it. */
  readonly rawHeaders: readonly string[]
}

/**
 * Refuses what web pages send that have no business here. A page whose name has been pointed at this machine (DNS
 * rebinding) names itself as the host; a page of another site has a foreign `Origin`, or a `Sec-Fetch-Site` that says so.
 */
export const checkSource = (source: RequestSource, settings: GuardSettings): void => {
  if (!source.url.startsWith('/')) throw badQuery('the target of a request must be a path')
  checkHost(source, settings)
  checkSite(source, settings)
}

/** The origin of a web page that may read the answers, as the request names it. */
export const allowedOriginOf = (
  { headers: { origin } }: Pick<RequestSource, 'headers'>,
  { allowedOrigins }: GuardSettings,
): string | undefined =>
  origin !== undefined && allowedOrigins.some((each) => each === '*' || each === origin) ? origin : undefined

/** True of what a browser asks before a request of another site's page. */
export const isPreflight = ({ method, headers }: RequestSource): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined

/** Lets the browser give an answer to the page. */
export const sharedWith = (origin: string): Readonly<Record<string, string>> => ({
  'access-control-allow-origin': origin,
})

export const preflightHeaders = {
  'access-control-allow-methods': 'GET, HEAD',
  'access-control-allow-headers': 'authorization',
  'access-control-max-age': '600',
}

const checkHost = ({ httpVersion, headers, rawHeaders }: RequestSource, settings: GuardSettings): void => {
  const { host } = headers
  // HTTP/1.0 has no Host, and no browser speaks it.
  if (host === undefined && httpVersion === '1.0') return
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && /^host$/i.test(name))
  if (host === undefined || hosts.length > 1) throw badQuery('a request must have one Host header')
  const name = hostOfAuthority(host)
  if (name === undefined) throw wrongHost('what this request names')
  if (!isNaturalHost(settings.listensOn, name) && !isListed(settings.allowedHosts, name))
    throw wrongHost(`'${name}'`)
}

const checkSite = (source: RequestSource, settings: GuardSettings): void => {
  if (allowedOriginOf(source, settings) !== undefined) return
  const { origin, host, 'sec-fetch-site': site } = source.headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw foreignPage()
  if (origin !== undefined && !isOriginOf(origin, host)) throw foreignPage()
}

/** By the authority alone: what ends TLS in front of this server has another scheme than it. */
const isOriginOf = (origin: string, host: string | undefined): boolean =>
  host !== undefined && /^https?:\/\/(.*)$/i.exec(origin)?.[1]?.toLowerCase() === host.toLowerCase()

const wrongHost = (named: string): Fault =>
  new Fault({
    code: 'HOST_NOT_ALLOWED',
    actor: 'author',
    message: `this server does not answer for ${named}`,
    remedy: 'name it in the setting queryAllowedHosts, or ask by an address',
  })

const foreignPage = (): Fault =>
  new Fault({
    code: 'ORIGIN_NOT_ALLOWED',
    actor: 'author',
    message: 'a web page of another site may not read this',
    remedy: 'name the origin of the page in the setting queryAllowedOrigins',
  })
