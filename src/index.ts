/** The door `millrace`: say topologies, and run them. */
export { milliseconds, seconds, minutes, hours, days } from './base/duration.ts'
export { Fault, isFault } from './base/fault.ts'
export type { FaultActor, FaultDetails, FaultPlace } from './base/fault.ts'
export type { Clock } from './base/clock.ts'
export type { Bytes } from './base/bytes.ts'
export type { RecordContents } from './base/record-contents.ts'
export { topic } from './topic/topic.ts'
export type { SinkTopic, Topic, TopicOptions, TypeOf } from './topic/topic.ts'
export { nullable } from './topic/serde.ts'
export type { AnySerde, Deserializer, JsonSchema, Serde, SerdeType, Serializer } from './topic/serde.ts'
export { bigLong, bytes, double, integer, long, string } from './topic/serdes.ts'
export { json } from './topic/json.ts'
export { sessionWindowed, timeWindowed, windowed } from './topic/windowed.ts'
export type { Windowed, WindowedSerde } from './topic/windowed.ts'
export { headerText, lastHeader, withHeader } from './topic/headers.ts'
export type { Header, Headers } from './topic/headers.ts'
export { StreamRecord } from './topic/record.ts'
export type { KeyValueRecord, RecordOrigin } from './topic/record.ts'
export { filterByHeader } from './operators/filter-by-header.ts'
export { pairwiseByKey } from './operators/pairwise-by-key.ts'
export { sampleByKey } from './operators/sample-by-key.ts'
export { scanByKey } from './operators/scan-by-key.ts'
export { topology, TopologyBuilder } from './dsl/builder.ts'
export type { GlobalTableOptions, SourceOptions, TableSourceOptions, TopologyOptions } from './dsl/builder.ts'
export { otherwise } from './dsl/callbacks.ts'
export type { Adder, Emitted, Guard, Initial, Joiner, Predicate, Reducer } from './dsl/callbacks.ts'
export { joinWindows, within } from './dsl/join-windows.ts'
export type { JoinWindowsOptions } from './dsl/join-windows.ts'
export { hopping, session, sliding, tumbling } from './dsl/windows.ts'
export type {
  HoppingOptions,
  SessionOptions,
  SlidingOptions,
  TumblingOptions,
  WithGrace,
} from './dsl/windows.ts'
export { untilTimeLimit, untilWindowCloses } from './dsl/suppression.ts'
export type { Suppression, SuppressionBounds, TimeLimitOptions } from './dsl/suppression.ts'
export {
  dropInvalid,
  extractedFrom,
  failOnInvalid,
  usePartitionTime,
  wallClock,
} from './dsl/timestamp-extractors.ts'
export type { AsyncMapOptions, AsyncOptions } from './dsl/map-async.ts'
export type {
  DeduplicateByIdOptions,
  DeduplicateByKeyOptions,
  DeduplicateByTextOptions,
  DuplicateSideOutputs,
} from './dsl/deduplicate.ts'
export { GlobalTable } from './dsl/global-table.ts'
export type { GlobalJoinOptions, StreamJoinOptions, StreamTableJoinOptions } from './dsl/stream-joins.ts'
export type {
  DynamicTopic,
  GroupByKeyOptions,
  MapOptions,
  MapValuesOptions,
  PipeOperator,
  PipeOptions,
  PrintOptions,
  SelectKeyOptions,
  SinkOptions,
  Stream,
  ToTableOptions,
} from './dsl/stream.ts'
export type {
  GroupedRow,
  Table,
  TableGroupByOptions,
  TableGroupByTextOptions,
  TableMapOptions,
  TableTransformOptions,
  ToStreamOptions,
} from './dsl/table.ts'
export type {
  AggregateOptions,
  AggregateStoreOptions,
  GroupedStream,
  ReduceOptions,
} from './dsl/grouped-stream.ts'
export type {
  CogroupOptions,
  CogroupPartOptions,
  CogroupedStream,
  SessionCogroupOptions,
  SessionWindowedCogroupedStream,
  TimeWindowedCogroupedStream,
  WindowedCogroupOptions,
} from './dsl/cogrouped-stream.ts'
export type {
  SessionAggregateOptions,
  SessionWindowedStream,
  TimeWindowedStream,
  WindowedAggregateOptions,
  WindowedReduceOptions,
} from './dsl/windowed-stream.ts'
export type {
  GroupedTable,
  TableAggregateOptions,
  TableCountOptions,
  TableReduceOptions,
} from './dsl/grouped-table.ts'
export type { Topology } from './topology/topology.ts'
export { describeTopology } from './topology/describe.ts'
export { diffTopologies } from './topology/diff.ts'
export type { TopologyDifference } from './topology/difference.ts'
export { dotOf } from './topology/dot.ts'
export { mermaidOf } from './topology/mermaid.ts'
export type { TopologyProblem } from './topology/problem.ts'
export { snapshotOf } from './topology/snapshot.ts'
export type {
  RepartitionSnapshot,
  SnapshotSchemas,
  SinkSnapshot,
  SourceSnapshot,
  StepSnapshot,
  StoreSnapshot,
  TopologySnapshot,
} from './topology/snapshot.ts'
export { validateTogether } from './topology/validate-together.ts'
export { validateTopology } from './topology/validate.ts'
export type { EmitPolicy, OffsetReset, TimestampExtractor } from './topology/node.ts'
export { keyValueStore, sessionStore, versionedStore, windowStore } from './dsl/processor-stores.ts'
export type {
  KeyValueStoreOptions,
  ProcessorStoreOptions,
  SessionStoreOptions,
  VersionedStoreOptions,
  WindowStoreOptions,
} from './dsl/processor-stores.ts'
export type { BranchStreams, Branches } from './dsl/split.ts'
export type {
  EmitOptions,
  GroupByOptions,
  GroupByTextOptions,
  MaybeStored,
  Named,
  RepartitionOptions,
  SerdeSource,
  StoreOptions,
  TableStoreOptions,
} from './dsl/options.ts'
export type { ForeignKeyJoinOptions } from './dsl/foreign-key-join.ts'
export type { KeyedProcessOptions, ProcessOptions, ValueProcessOptions } from './dsl/process.ts'
export type { SideOutputs, WindowedSideOutputs } from './dsl/side-outputs.ts'
export type { TableJoinOptions } from './dsl/table-join.ts'
export type { WindowedStoreOptions } from './dsl/windowed-aggregate.ts'
export type {
  Forwarded,
  Processor,
  ProcessorContext,
  Punctuator,
  Supplier,
  TaskContext,
  ValueProcessorContext,
  ValueSupplier,
} from './topology/processor.ts'
export type {
  JoinWindowStoreDefinition,
  KeyValueStoreDefinition,
  RetainedStore,
  SessionStoreDefinition,
  StoreBase,
  StoreDefinition,
  VersionedStoreDefinition,
  WindowStoreDefinition,
} from './topology/store-definition.ts'
export type { JoinWindows, SessionWindows, SlidingWindows, TimeWindows } from './topology/windows.ts'
export type {
  WorkflowExchangeSnapshot,
  WorkflowSnapshot,
  WorkflowStepSnapshot,
} from './topology/workflow-snapshot.ts'
export { start } from './app/start.ts'
export type { Application } from './app/start.ts'
export type { StartOptions } from './app/start-options.ts'
export { standardErrorLogger } from './app/logger.ts'
export type { Logger, LogLevel, StandardErrorLoggerOptions } from './app/logger.ts'
export type {
  ApplicationState,
  EventFields,
  RuntimeListener,
  UnreadInput,
  WarningListener,
} from './runtime/runtime-settings.ts'
export { startThreads } from './app/start-threads.ts'
export type { StartThreadsOptions, ThreadedApplication } from './app/start-threads.ts'
export type { TopologyModule } from './app/topology-module.ts'
export type { UncaughtFailureHandler } from './app/supervisor.ts'
export type { UncaughtFailureResponse } from './runtime/uncaught-failure.ts'
export type { ApplicationHealth, InputHealth, StandbyHealth } from './runtime/application-health.ts'
export type { CloseOptions } from './runtime/application-member.ts'
export type { MetricsSnapshot } from './runtime/metrics.ts'
export type { QueryEndpoint } from './runtime/application-metadata.ts'
export type { RestoreProgress } from './runtime/restore.ts'
export type { StoreOwners } from './runtime/store-directory.ts'
export type { TaskId } from './runtime/assign-tasks.ts'
export type { Settings, SettingsInput } from './app/settings.ts'
export type { FailedRecord, FailureHandler, FailurePolicy, RecordAsRead } from './task/failure-handler.ts'
export type { DropReason } from './task/ports.ts'

export type { KeyMetadata, Queries, StoreKind } from './app/queries/queries.ts'
export type { QueryOptions } from './app/queries/page-reader.ts'
export type { Authorization, QueryRequest } from './app/queries/request-access.ts'
export type {
  ChangesOptions,
  KeyValueView,
  ReadOptions,
  Rows,
  SessionView,
  VersionedView,
  WindowView,
} from './app/queries/views.ts'
export type {
  KeyValueStore,
  RangeOptions,
  ReadOnlyKeyValueStore,
  SessionStore,
  StateStore,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
  VersionedRecord,
  VersionedStore,
  WindowEntry,
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
export type {
  CommandOptions,
  Reply,
  ReplyOptions,
  RetryOptions,
  SagaData,
  StepKind,
  StepMaker,
  StepOptions,
  UndoOptions,
  UnnamedStep,
  ReplyOutcome,
} from './saga/step.ts'
export type { SagaState, SagaStatus, StepState, StepStatus } from './saga/state.ts'
export { addSaga, sagaTopology } from './saga/saga-topology.ts'
export type { SagaTopologyOptions } from './saga/saga-topology.ts'
export { connect } from './app/topic-client.ts'
export type { TopicPartition } from './kafka/topic-partition.ts'
export type { TopicClient } from './app/topic-client.ts'
export type { ObserveFrom, ObserveOptions } from './app/observe/observe-options.ts'
export type { ObservedTopic } from './app/observe/observed-topic.ts'
export type { OutgoingRecord, PublishedRecord } from './app/observe/topic-publisher.ts'
export type { TopicPublisher } from './app/observe/topic-publisher.ts'
