import { Errors, type ErrorCode } from '../protocol/errors.ts'

/** PRODUCER_FENCED is newer than the transaction APIs: before `version` clients get INVALID_PRODUCER_EPOCH. */
export const fencedBefore = (version: number, apiVersion: number, errorCode: ErrorCode): ErrorCode =>
  errorCode === Errors.PRODUCER_FENCED && apiVersion < version ? Errors.INVALID_PRODUCER_EPOCH : errorCode
