import { alterConfigsApi, incrementalAlterConfigsApi } from './alter-configs.ts'
import { apiVersionsApi } from './api-versions.ts'
import { addOffsetsToTxnApi } from './add-offsets-to-txn.ts'
import { addPartitionsToTxnApi } from './add-partitions-to-txn.ts'
import { endTxnApi } from './end-txn.ts'
import { txnOffsetCommitApi } from './txn-offset-commit.ts'
import { describeProducersApi } from './describe-producers.ts'
import { describeTransactionsApi, listTransactionsApi } from './describe-transactions.ts'
import type { Api } from './api.ts'
import { createPartitionsApi } from './create-partitions.ts'
import { createTopicsApi } from './create-topics.ts'
import { deleteGroupsApi } from './delete-groups.ts'
import { deleteRecordsApi } from './delete-records.ts'
import { deleteTopicsApi } from './delete-topics.ts'
import { describeClusterApi } from './describe-cluster.ts'
import { describeConfigsApi } from './describe-configs.ts'
import { describeGroupsApi } from './describe-groups.ts'
import { fetchApi } from './fetch.ts'
import { findCoordinatorApi } from './find-coordinator.ts'
import { heartbeatApi } from './heartbeat.ts'
import { initProducerIdApi } from './init-producer-id.ts'
import { joinGroupApi } from './join-group.ts'
import { leaveGroupApi } from './leave-group.ts'
import { listGroupsApi } from './list-groups.ts'
import { listOffsetsApi } from './list-offsets.ts'
import { metadataApi } from './metadata.ts'
import { offsetCommitApi } from './offset-commit.ts'
import { offsetDeleteApi } from './offset-delete.ts'
import { offsetFetchApi } from './offset-fetch.ts'
import { offsetForLeaderEpochApi } from './offset-for-leader-epoch.ts'
import { produceApi } from './produce.ts'
import { syncGroupApi } from './sync-group.ts'

/** Every API that the broker serves, by its key. */
export const APIS: ReadonlyMap<number, Api> = new Map(
  [
    produceApi,
    fetchApi,
    listOffsetsApi,
    metadataApi,
    offsetCommitApi,
    offsetFetchApi,
    findCoordinatorApi,
    joinGroupApi,
    heartbeatApi,
    leaveGroupApi,
    syncGroupApi,
    describeGroupsApi,
    listGroupsApi,
    apiVersionsApi(() => APIS.values()),
    createTopicsApi,
    deleteTopicsApi,
    deleteRecordsApi,
    initProducerIdApi,
    offsetForLeaderEpochApi,
    addPartitionsToTxnApi,
    addOffsetsToTxnApi,
    endTxnApi,
    txnOffsetCommitApi,
    describeConfigsApi,
    alterConfigsApi,
    createPartitionsApi,
    deleteGroupsApi,
    incrementalAlterConfigsApi,
    offsetDeleteApi,
    describeClusterApi,
    describeProducersApi,
    describeTransactionsApi,
    listTransactionsApi,
  ].map((served) => [served.schema.key, served]),
)
