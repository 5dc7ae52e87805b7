import type { GlobalTable, GroupedStream, Stream, Supplier, Table, TimeWindowedStream } from 'millrace'
import type { Alert, Customer, Order, Payment, Total } from './topics.ts'

/** The same shop where a room speaks of streams. */
export * from './topics.ts'

export declare const stream: Stream<string, Order>
export declare const orders: Stream<string, Order>
export declare const returns: Stream<string, Order>
export declare const payments: Stream<string, Payment>
export declare const clicks: Stream<string, string>
export declare const views: Stream<string, string>
export declare const logins: Stream<string, string>
export declare const customers: Table<string, Customer>
export declare const rates: GlobalTable<string, number>
export declare const grouped: GroupedStream<string, Order>
export declare const windowed: TimeWindowedStream<string, Order>

export declare const newCustomer: Customer
export declare const noTotal: Total
export declare const addOrder: (customer: Customer, order: Order) => Customer
export declare const addReturn: (customer: Customer, order: Order) => Customer
export declare const plus: (total: Total, order: Order) => Total
export declare const convert: (order: Order, rate: number) => number
export declare const pair: (click: string, view: string) => string
export declare const paid: (order: Order, payment: Payment) => Order
export declare const price: (order: Order, signal: AbortSignal) => Promise<number>
export declare const isPaid: (record: { readonly value: Order }) => boolean
export declare const watch: Supplier<string, Order, string, Alert>
