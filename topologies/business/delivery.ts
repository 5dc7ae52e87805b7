import type { Order } from '../contracts.ts'

/** The carrier's number for an order: the same whenever it is asked for. */
export const trackingIdOf = ({ orderId }: Order): string => `parcel-of-${orderId}`
