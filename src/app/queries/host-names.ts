import { isIP } from 'node:net'
import { isLoopback } from './endpoint.ts'

/** The host of a `Host` header or of an origin, in lower case, without brackets, port and final dot; undefined where there is none. */
export const hostOfAuthority = (authority: string): string | undefined => {
  const [, name, address] = authorityParts.exec(authority) ?? []
  if (name !== undefined) return name.replace(/\.$/, '').toLowerCase()
  return address !== undefined && isIP(address) === 6 ? address.toLowerCase() : undefined
}

const authorityParts = /^(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\])(?::\d{1,5})?$/

/** True where a list names a host: by itself, by `*.example.org` for all names below, or by `*`. */
export const isListed = (list: readonly string[], host: string): boolean =>
  list.some((entry) => {
    const pattern = entry.toLowerCase()
    if (pattern === '*' || pattern === host) return true
    return pattern.startsWith('*.') && host.endsWith(pattern.slice(1))
  })

/** An address proves nothing about a name, but a web page can't have one as the name of its site and point it here. */
export const isAddress = (host: string): boolean => isIP(host) !== 0

/** What a listener answers to although no setting names it. */
export const isNaturalHost = (listensOn: string, host: string): boolean =>
  isLoopback(host) || (isAddress(host) && !isLoopback(listensOn))
