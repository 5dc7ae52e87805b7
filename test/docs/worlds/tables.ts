import type { GroupedTable, Table, Windowed } from 'millrace'
import type { Customer } from './topics.ts'

/** The same shop where a room speaks of tables. */
export * from './topics.ts'

interface OwnedOrder {
  readonly customer: string
  readonly customerId: string
  readonly amount: number
  readonly currency: string
}

export declare const orders: Table<string, OwnedOrder>
export declare const customers: Table<string, Customer>
export declare const addresses: Table<string, string>
export declare const employees: Table<string, { readonly department: string }>
export declare const balances: Table<string, number>
export declare const counts: Table<Windowed<string>, number>
export declare const grouped: GroupedTable<string, number>
