/** `host:port`, as settings and members of a group name it. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Splits `host:port`; an IPv6 address stands in brackets. */
export const parseEndpoint = (text: string): Endpoint => {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) }
}

export const endpointText = ({ host, port }: Endpoint): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')
