import { fillInputs } from './inputs.ts'
import { peerOptions } from './peer-options.ts'

/** Fills `bench-orders-<records>` and `bench-customers`: `node bench/peers/load-inputs.ts --brokers … --records …` */
const { brokers, records } = peerOptions()
await fillInputs(brokers, records)
