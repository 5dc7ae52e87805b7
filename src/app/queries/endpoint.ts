import { BlockList, isIP } from 'node:net'

/** `host:port`, as settings and members of a group name it. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** True of a host name or an address with a port, and of nothing that a URL could hold besides: no user, no path. */
export const isEndpoint = (text: string): boolean => {
  const [, host, address, port] = endpointParts.exec(text) ?? []
  return (host !== undefined || isIP(address ?? '') === 6) && Number(port) <= largestPort
}

const endpointParts = /^(?:([A-Za-z0-9_][A-Za-z0-9._-]{0,252})|\[([0-9A-Fa-f:.]+)\]):(\d{1,5})$/
const largestPort = 65_535

/** Splits `host:port`; an IPv6 address stands in brackets. */
export const parseEndpoint = (text: string): Endpoint => {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) }
}

export const endpointText = ({ host, port }: Endpoint): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

/** The names and addresses that never leave the machine. */
export const isLoopback = (host: string): boolean =>
  isIP(host) === 0 ? /^(?:.+\.)?localhost$/i.test(host) : isAmong(loopback, host)

/** True of an address of no machine in particular: unspecified, link-local (as cloud metadata services have) or multicast. */
export const isUnroutable = (host: string): boolean => isIP(host) !== 0 && isAmong(unroutable, host)

const blockListOf = (...subnets: readonly (readonly [string, number])[]): BlockList => {
  const list = new BlockList()
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, familyOf(network))
  return list
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

const isAmong = (list: BlockList, address: string): boolean => list.check(address, familyOf(address))

const loopback = blockListOf(['127.0.0.0', 8], ['::1', 128])
const unroutable = blockListOf(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
)
