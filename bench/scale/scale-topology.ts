import type { Topology } from 'millrace'
import type { Workload } from '../peers/workloads.ts'
import { workloadTopology } from '../topologies.ts'

/** The topology of a run, for threads to import: which one it is stands in the module's URL. */
const { searchParams } = new URL(import.meta.url)
const of = (name: string): string => searchParams.get(name) ?? ''

export const scaled: Topology = workloadTopology(of('workload') as Workload, {
  orders: of('orders'),
  output: of('output'),
  customers: '',
  payments: '',
})
