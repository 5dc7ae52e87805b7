import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import { isLoopback, isUnroutable } from './endpoint.ts'
import { isListed } from './host-names.ts'

export interface MemberAddressSettings {
  /** The only hosts that are asked; any by default. */
  readonly memberHosts: readonly string[] | undefined
  /** The host that others know this process by, or that it listens on. */
  readonly ownHost: string | undefined
}

/**
 * Which hosts of those that members of the group name may be asked. A member can name any, so without a list addresses are
 * refused that no other process of the application can have: those of no machine in particular, as of a cloud's metadata
 * service, and loopback where this process is not on loopback itself.
 */
export const mayAsk = (host: string, { memberHosts, ownHost }: MemberAddressSettings): boolean => {
  if (host.toLowerCase() === ownHost?.toLowerCase()) return true
  if (memberHosts !== undefined) return isListed(memberHosts, host.toLowerCase())
  return !isUnroutable(host) && (!isLoopback(host) || ownHost === undefined || isLoopback(ownHost))
}

/** Looks a name up, and refuses the addresses that may not be asked, whatever name stands for them. */
export const guardedLookup =
  (settings: MemberAddressSettings): LookupFunction =>
  (host, options, callback) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const addresses = found.filter(({ address }) => isPermitted(host, address, settings))
      const [first] = addresses
      if (first === undefined) return callback(new Error(`${host} has an address that may not be asked`), [])
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
    })

const isPermitted = (host: string, address: string, settings: MemberAddressSettings): boolean =>
  isNamed(host, settings) || mayAsk(address, settings)

/** A name that the settings know may stand for any address. */
const isNamed = (host: string, { memberHosts, ownHost }: MemberAddressSettings): boolean =>
  isIP(host) === 0 && (host === ownHost || memberHosts !== undefined)
