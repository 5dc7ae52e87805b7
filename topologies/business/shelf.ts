import * as z from 'zod'

/**
 * Stock on a shelf, as pure functions: an order takes its quantity once, and gives it back once. What was answered to an
 * order is remembered beside the number on hand, so that a message that comes twice has one effect, and a return that
 * overtakes its reservation makes the reservation come to nothing.
 */
const Reservation = z.object({
  granted: z.boolean(),
  quantity: z.int().nonnegative(),
  left: z.int().nonnegative(),
  /** Why not, where it was not granted. */
  reason: z.string(),
  /** The record that asked first. */
  by: z.string(),
})
const Restoration = z.object({ left: z.int().nonnegative(), by: z.string() })

/** What a shelf remembers of one order. */
export const Hold = z.object({ reservation: Reservation.nullable(), restoration: Restoration.nullable() })
export type Hold = z.output<typeof Hold>
type Reservation = z.output<typeof Reservation>
type Restoration = z.output<typeof Restoration>

/** The number on hand of one product (null where there never was any), and what is remembered of one order. */
export interface Shelf {
  readonly onHand: number | null
  readonly hold: Hold
}

export const untouched: Hold = { reservation: null, restoration: null }

/** A shelf after a wish, with the answer to it. */
export interface Served<out Answer> extends Shelf {
  readonly answer: Answer
  /** True where another record wished for the same before. */
  readonly repeated: boolean
}

/** Takes a quantity off the shelf, or says why not; `by` names the record that asks. */
export const reserve = ({ onHand, hold }: Shelf, quantity: number, by: string): Served<Reservation> => {
  const known = hold.reservation
  if (known !== null) return { onHand, hold, answer: known, repeated: known.by !== by }
  const answer = decide(onHand, hold, quantity, by)
  return {
    onHand: answer.granted ? answer.left : onHand,
    hold: { ...hold, reservation: answer },
    answer,
    repeated: false,
  }
}

/** Gives back what the order took, if it took anything. */
export const restore = ({ onHand, hold }: Shelf, by: string): Served<Restoration> => {
  const known = hold.restoration
  if (known !== null) return { onHand, hold, answer: known, repeated: known.by !== by }
  const back = hold.reservation?.granted === true ? hold.reservation.quantity : 0
  const answer = { left: (onHand ?? 0) + back, by }
  return {
    onHand: back === 0 ? onHand : answer.left,
    hold: { ...hold, restoration: answer },
    answer,
    repeated: false,
  }
}

/** Puts goods on the shelf. */
export const receive = (onHand: number | null, quantity: number): number => (onHand ?? 0) + quantity

const decide = (onHand: number | null, hold: Hold, quantity: number, by: string): Reservation => {
  if (hold.restoration !== null) return refusal(onHand, 'cancelled before it was reserved', by)
  if (onHand === null) return refusal(onHand, 'unknown product', by)
  if (onHand < quantity) return refusal(onHand, `out of stock: ${onHand} left, ${quantity} wanted`, by)
  return { granted: true, quantity, left: onHand - quantity, reason: '', by }
}

const refusal = (onHand: number | null, reason: string, by: string): Reservation => ({
  granted: false,
  quantity: 0,
  left: onHand ?? 0,
  reason,
  by,
})
