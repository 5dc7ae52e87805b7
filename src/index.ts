/** The door `millrace`: say topologies, and run them. */
export { milliseconds, seconds, minutes, hours, days } from './base/duration.ts'
export { Fault, isFault } from './base/fault.ts'
export type { FaultActor, FaultPlace } from './base/fault.ts'
export type { Clock } from './base/clock.ts'
export { topic } from './topic/topic.ts'
export type { Topic, SinkTopic, TopicOptions } from './topic/topic.ts'
export { nullable } from './topic/serde.ts'
export type { Serde, SerdeType } from './topic/serde.ts'
export { bigLong, bytes, double, integer, long, string } from './topic/serdes.ts'
export { json } from './topic/json.ts'
export { sessionWindowed, timeWindowed, windowed } from './topic/windowed.ts'
export type { Windowed } from './topic/windowed.ts'
export { headerText, lastHeader, withHeader } from './topic/headers.ts'
export type { Header, Headers } from './topic/headers.ts'
export { StreamRecord } from './topic/record.ts'
export type { KeyValueRecord, RecordOrigin } from './topic/record.ts'
export { filterByHeader } from './operators/filter-by-header.ts'
export { pairwiseByKey } from './operators/pairwise-by-key.ts'
export { sampleByKey } from './operators/sample-by-key.ts'
export { scanByKey } from './operators/scan-by-key.ts'
export { topology, TopologyBuilder } from './dsl/builder.ts'
export { otherwise } from './dsl/callbacks.ts'
export { joinWindows, within } from './dsl/join-windows.ts'
export type { JoinWindowsOptions } from './dsl/join-windows.ts'
export { hopping, session, sliding, tumbling } from './dsl/windows.ts'
export { untilTimeLimit, untilWindowCloses } from './dsl/suppression.ts'
export type { Suppression, SuppressionBounds } from './dsl/suppression.ts'
export {
  dropInvalid,
  extractedFrom,
  failOnInvalid,
  usePartitionTime,
  wallClock,
} from './dsl/timestamp-extractors.ts'
export type { AsyncOptions } from './dsl/map-async.ts'
export type {
  DeduplicateByIdOptions,
  DeduplicateByKeyOptions,
  DeduplicateByTextOptions,
  DuplicateSideOutputs,
} from './dsl/deduplicate.ts'
export { GlobalTable } from './dsl/global-table.ts'
export type { GlobalJoinOptions, StreamJoinOptions, StreamTableJoinOptions } from './dsl/stream-joins.ts'
export type { Stream } from './dsl/stream.ts'
export type { Table } from './dsl/table.ts'
export type { GroupedStream } from './dsl/grouped-stream.ts'
export type { CogroupedStream } from './dsl/cogrouped-stream.ts'
export type { SessionWindowedStream, TimeWindowedStream } from './dsl/windowed-stream.ts'
export type { GroupedTable } from './dsl/grouped-table.ts'
export type { Topology } from './topology/topology.ts'
export { describeTopology } from './topology/describe.ts'
export { diffTopologies } from './topology/diff.ts'
export type { TopologyDifference } from './topology/difference.ts'
export { dotOf } from './topology/dot.ts'
export { mermaidOf } from './topology/mermaid.ts'
export type { TopologyProblem } from './topology/problem.ts'
export { snapshotOf } from './topology/snapshot.ts'
export type { TopologySnapshot } from './topology/snapshot.ts'
export { validateTogether } from './topology/validate-together.ts'
export { validateTopology } from './topology/validate.ts'
export { keyValueStore, sessionStore, versionedStore, windowStore } from './dsl/processor-stores.ts'
export type { ProcessorStoreOptions } from './dsl/processor-stores.ts'
export type {
  Processor,
  ProcessorContext,
  Punctuator,
  Supplier,
  TaskContext,
  ValueProcessorContext,
  ValueSupplier,
} from './topology/processor.ts'
export { start } from './app/start.ts'
export type { Application } from './app/start.ts'
export type { StartOptions } from './app/start-options.ts'
export { standardErrorLogger } from './app/logger.ts'
export type { Logger, LogLevel, StandardErrorLoggerOptions } from './app/logger.ts'
export type { EventFields, WarningListener } from './runtime/runtime-settings.ts'
export { startThreads } from './app/start-threads.ts'
export type { StartThreadsOptions, ThreadedApplication } from './app/start-threads.ts'
export type { TopologyModule } from './app/topology-module.ts'
export type { UncaughtFailureHandler } from './app/supervisor.ts'
export type { UncaughtFailureResponse } from './runtime/uncaught-failure.ts'
export type { ApplicationHealth, InputHealth } from './runtime/application-health.ts'
export type { CloseOptions } from './runtime/application-member.ts'
export type { Settings, SettingsInput } from './app/settings.ts'
export type { FailedRecord, FailureHandler, RecordAsRead } from './task/failure-handler.ts'
export type { KeyMetadata, Queries, StoreKind } from './app/queries/queries.ts'
export type { QueryOptions } from './app/queries/page-reader.ts'
export type { Authorization, QueryRequest } from './app/queries/request-access.ts'
export type {
  KeyValueView,
  ReadOptions,
  Rows,
  SessionView,
  VersionedView,
  WindowView,
} from './app/queries/views.ts'
export type {
  KeyValueStore,
  ReadOnlyKeyValueStore,
  SessionStore,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  VersionedStore,
  WindowStore,
} from './state/store.ts'
export { replay } from './app/replay.ts'
export type { ReplayOptions, ReplayProgress, ReplayResult } from './app/replay.ts'
export { reset } from './app/reset.ts'
export type { ResetOptions, ResetResult } from './app/reset.ts'
export type { OffsetMove, ResetTarget } from './app/reset-offsets.ts'
export { saga } from './saga/saga.ts'
export type { Saga, SagaOptions, SagaResult } from './saga/saga.ts'
export { classifies, refuses, succeeds } from './saga/step.ts'
export type { SagaData, StepKind, StepOptions, ReplyOutcome } from './saga/step.ts'
export type { SagaState, SagaStatus } from './saga/state.ts'
export { addSaga, sagaTopology } from './saga/saga-topology.ts'
export type { SagaTopologyOptions } from './saga/saga-topology.ts'
export { connect } from './app/topic-client.ts'
export type { TopicClient } from './app/topic-client.ts'
export type { ObserveFrom, ObserveOptions } from './app/observe/observe-options.ts'
export type { ObservedTopic } from './app/observe/observed-topic.ts'
export type { OutgoingRecord, PublishedRecord } from './app/observe/topic-publisher.ts'
export type { TopicPublisher } from './app/observe/topic-publisher.ts'
