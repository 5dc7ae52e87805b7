import { Fault } from '../base/fault.ts'
import { contentsOfValue, kindOfValue } from '../base/shown.ts'
import { refusePromise } from './callback-results.ts'

/**
 * Times are whole milliseconds: stores and topics keep them as 64-bit integers. A fraction is floored. What is no number
 * (NaN, Infinity, a Date, text) fails the record. Negative times are for the caller to decide.
 */
export const wholeTime = (callback: string, timestamp: unknown): number => {
  if (Number.isSafeInteger(timestamp)) return timestamp as number
  const whole = typeof timestamp === 'number' ? Math.floor(timestamp) : Number.NaN
  if (Number.isSafeInteger(whole)) return whole
  refusePromise(callback, timestamp)
  throw timestampInvalid(`${callback} gave ${kindOfValue(timestamp)} as a timestamp`, timestamp)
}

/** The time that a step gives a record it makes; a negative one is refused, as by Kafka Streams. */
export const emittedTime = (timestamp: unknown): number => {
  if (Number.isSafeInteger(timestamp) && (timestamp as number) >= 0) return timestamp as number
  const time = wholeTime('the step', timestamp)
  if (time >= 0) return time
  throw timestampInvalid(`the step gave the negative timestamp ${time}`, time)
}

const timestampInvalid = (message: string, timestamp: unknown): Fault =>
  new Fault({
    code: 'TIMESTAMP_INVALID',
    actor: 'record',
    message,
    remedy: 'give whole milliseconds since the Unix epoch, as date.getTime() does',
    contents: contentsOfValue('timestamp', timestamp),
  })
