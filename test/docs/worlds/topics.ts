import type * as z from 'zod'
import type { Application, Saga, Topic, Topology, TopologyBuilder, Windowed } from 'millrace'
import type { BrokerCore } from 'millrace/broker'
import type { TestDriver } from 'millrace/testing'
import type { RecordRow } from '../../../src/topic/record-columns.ts'

export * as z from 'zod'
export { expect } from 'vitest'
export { columnsOf } from '../../../src/topic/record-columns.ts'

/**
 * The world that the examples in docstrings live in: a shop's names and their types, of which nothing is ever run. Here
 * `orders` and its like are topics; streams.ts and tables.ts say what they are where a room speaks of these.
 */
export interface Order {
  readonly status: string
  readonly customer: string
  readonly customerId: string
  readonly amount: number
  readonly currency: string
  readonly placedAt: number
}

export interface Customer {
  readonly name: string
  readonly active: boolean
  readonly spent: number
  readonly returns: number
}

export interface Payment {
  readonly paymentId: string
  readonly paid: boolean
}

export interface Alert {
  readonly text: string
}

export interface Invoice {
  readonly total: number
}

export interface Total {
  readonly sum: number
}

export declare const Order: z.ZodType<Order>
export declare const Customer: z.ZodType<Customer>
export declare const Alert: z.ZodType<Alert>
export declare const Total: z.ZodType<Total>
export declare const Shipment: z.ZodType<{ readonly address: string }>

export declare const order: Order
export declare const orders: Topic<string, Order>
export declare const ordersEurope: Topic<string, Order>
export declare const ordersAmerica: Topic<string, Order>
export declare const lateOrders: Topic<string, Order>
export declare const orderPlaced: Topic<string, { readonly status: string }>
export declare const customerTopic: Topic<string, Customer>
export declare const customers: Topic<string, Customer>
export declare const prices: Topic<string, number>
export declare const exchangeRates: Topic<string, number>
export declare const payments: Topic<string, Payment>
export declare const paymentCompleted: Topic<string, { readonly paid: boolean }>
export declare const paymentAnswered: Topic<string, { readonly paid: boolean }>
export declare const shipments: Topic<string, { readonly address: string }>
export declare const invoices: Topic<string, Invoice>
export declare const counts: Topic<string, number>
export declare const finalCounts: Topic<Windowed<string>, number>
export declare const converted: Topic<string, number>
export declare const completed: Topic<string, Order>
export declare const refused: Topic<string, Order>
export declare const alerts: Topic<string, Alert>
export declare const activeCustomers: Topic<string, Customer>

export declare const orderRequested: Topic<string, { readonly item: string }>
export declare const reserveStock: Topic<string, { readonly item: string }>
export declare const releaseStock: Topic<string, { readonly item: string }>
export declare const startDelivery: Topic<string, { readonly item: string }>
export declare const stockReserved: Topic<string, { readonly item: string }>
export declare const stockRefused: Topic<string, { readonly reason: string }>
export declare const stockReleased: Topic<string, { readonly item: string }>
export declare const deliveryStarted: Topic<string, { readonly item: string }>

export declare const builder: TopologyBuilder
export declare const inventory: Topology
export declare const fulfilment: Saga
export declare const payment: Topology
export declare const shipping: Topology
export declare const application: Application
export declare const driver: TestDriver
export declare const core: BrokerCore
export declare const frame: Uint8Array
export declare const a1: RecordRow
export declare const a2: RecordRow
export declare const b1: RecordRow
export declare const fromMs: number
export declare const toMs: number
export declare const stored: string

export declare const toInvoice: (value: { readonly status: string }) => Invoice
export declare const toShipment: (value: { readonly paid: boolean }) => { readonly address: string }
