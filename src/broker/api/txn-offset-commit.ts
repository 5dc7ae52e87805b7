import type { Broker } from '../broker.ts'
import type { Group } from '../group/group.ts'
import { txnOffsetCommitSchema } from '../protocol/apis/txn-offset-commit.ts'
import { Errors, type ErrorCode } from '../protocol/errors.ts'
import type { Request } from '../protocol/schema.ts'
import { api, attempt, type Api } from './api.ts'
import { offsetError, type OffsetToCommit } from './offset-commit.ts'

/**
 * TxnOffsetCommit: offsets that count once the transaction commits, and never if it aborts.
 *
 * - From version 5 on (TV2) it makes the group part of the transaction by itself; before, AddOffsetsToTxn must have.
 * - A member that is named (v3+) must be of the current generation; without one no member is fenced.
 */
export const txnOffsetCommitApi: Api = api(txnOffsetCommitSchema, async (broker, request, { apiVersion }) => {
  if (apiVersion >= 5) await broker.transactions.settled(request.transactionalId)
  const error = transactionError(broker, request, apiVersion)
  const groupError = error === Errors.NONE ? memberError(broker, request) : error
  const group = groupError === Errors.NONE ? broker.groups.getOrCreate(request.groupId) : undefined
  if (group !== undefined && request.memberId !== '') broker.groups.touch(group, request.memberId)
  return {
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode:
          group === undefined ? groupError : storePending(broker, group, request.producerId, name, partition),
      })),
    })),
  }
})

type CommitRequest = Request<typeof txnOffsetCommitSchema>

const transactionError = (broker: Broker, request: CommitRequest, apiVersion: number): ErrorCode => {
  const { groupId } = request
  if (groupId === '') return Errors.INVALID_GROUP_ID
  const { errorCode } = attempt(() => {
    if (apiVersion >= 5) broker.transactions.add(request, [], groupId)
    else broker.transactions.verifyGroup(request, groupId)
  })
  if (errorCode === Errors.PRODUCER_FENCED) return Errors.INVALID_PRODUCER_EPOCH
  return errorCode === Errors.TRANSACTION_ABORTABLE && apiVersion < 4 ? Errors.INVALID_TXN_STATE : errorCode
}

const memberError = (
  broker: Broker,
  { groupId, generationId, memberId, groupInstanceId }: CommitRequest,
): ErrorCode => {
  const group = broker.groups.groups.get(groupId)
  if (group === undefined) return generationId < 0 ? Errors.NONE : Errors.ILLEGAL_GENERATION
  if (generationId < 0 && (group.state === 'Empty' || (memberId === '' && groupInstanceId === null)))
    return Errors.NONE
  const error = group.memberError(memberId, groupInstanceId)
  if (error !== Errors.NONE) return error
  return generationId === group.generationId ? Errors.NONE : Errors.ILLEGAL_GENERATION
}

const storePending = (
  broker: Broker,
  group: Group,
  producerId: number,
  topic: string,
  offset: OffsetToCommit,
): ErrorCode => {
  const error = offsetError(broker, topic, offset)
  if (error !== Errors.NONE) return error
  return attempt(() =>
    broker.addTransactionalOffset(group, producerId, topic, offset.partitionIndex, {
      offset: offset.committedOffset,
      leaderEpoch: offset.committedLeaderEpoch,
      metadata: offset.committedMetadata ?? '',
    }),
  ).errorCode
}
