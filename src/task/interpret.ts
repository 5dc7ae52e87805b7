import type { Observable } from 'rxjs'
import type { AnyRecord, TopologyNode } from '../topology/node.ts'
import type { NodeContext } from './node-context.ts'
import { interpretAggregate } from './nodes/aggregate.ts'
import { interpretDeduplicate } from './nodes/deduplicate.ts'
import { interpretFilter } from './nodes/filter.ts'
import { interpretForeignKeyJoin } from './nodes/foreign-key-join.ts'
import { interpretForeignKeyRespond, interpretForeignKeyStore } from './nodes/foreign-key-respond.ts'
import { interpretForeignKeySubscribe } from './nodes/foreign-key-subscribe.ts'
import { interpretFlatMap, interpretMap, interpretPeek } from './nodes/map.ts'
import { interpretMapAsync } from './nodes/map-async.ts'
import { interpretPipe } from './nodes/pipe.ts'
import { interpretProcess } from './nodes/process.ts'
import { interpretRepartition, interpretSink } from './nodes/sink.ts'
import { interpretStreamStreamJoin } from './nodes/stream-stream-join.ts'
import { interpretStreamGlobalTableJoin, interpretStreamTableJoin } from './nodes/stream-table-join.ts'
import { interpretSessionAggregate } from './nodes/session-aggregate.ts'
import { interpretSlidingAggregate } from './nodes/sliding-aggregate.ts'
import { interpretBranch, interpretMerge, interpretSplit } from './nodes/split.ts'
import { interpretSuppress } from './nodes/suppress.ts'
import { interpretTableAggregate } from './nodes/table-aggregate.ts'
import { interpretTableGroupBy } from './nodes/table-group-by.ts'
import { interpretTableTableJoin } from './nodes/table-join.ts'
import {
  interpretTableFilter,
  interpretTableMapValues,
  interpretTableSource,
  interpretToStream,
  interpretToTable,
} from './nodes/table.ts'
import { interpretWindowAggregate } from './nodes/window-aggregate.ts'

/** Hands a node to the interpreter of its kind. */
export const interpret = (
  node: TopologyNode,
  inputs: readonly Observable<AnyRecord>[],
  context: NodeContext,
): Observable<AnyRecord> => {
  switch (node.kind) {
    case 'source':
      return inputs[0] as Observable<AnyRecord>
    case 'tableSource':
      return interpretTableSource(node, inputs, context)
    case 'filter':
      return interpretFilter(node, inputs, context)
    case 'map':
      return interpretMap(node, inputs, context)
    case 'flatMap':
      return interpretFlatMap(node, inputs, context)
    case 'peek':
      return interpretPeek(node, inputs, context)
    case 'pipe':
      return interpretPipe(node, inputs, context)
    case 'split':
      return interpretSplit(node, inputs, context)
    case 'branch':
      return interpretBranch(node, inputs, context)
    case 'merge':
      return interpretMerge(node, inputs, context)
    case 'mapAsync':
      return interpretMapAsync(node, inputs, context)
    case 'deduplicate':
      return interpretDeduplicate(node, inputs, context)
    case 'sink':
      return interpretSink(node, inputs, context)
    case 'repartition':
      return interpretRepartition(node, inputs, context)
    case 'process':
      return interpretProcess(node, inputs, context)
    case 'toTable':
      return interpretToTable(node, inputs, context)
    case 'toStream':
      return interpretToStream(node, inputs, context)
    case 'aggregate':
      return interpretAggregate(node, inputs, context)
    case 'windowAggregate':
      return interpretWindowAggregate(node, inputs, context)
    case 'slidingAggregate':
      return interpretSlidingAggregate(node, inputs, context)
    case 'sessionAggregate':
      return interpretSessionAggregate(node, inputs, context)
    case 'suppress':
      return interpretSuppress(node, inputs, context)
    case 'streamTableJoin':
      return interpretStreamTableJoin(node, inputs, context)
    case 'streamGlobalTableJoin':
      return interpretStreamGlobalTableJoin(node, inputs, context)
    case 'streamStreamJoin':
      return interpretStreamStreamJoin(node, inputs, context)
    case 'tableFilter':
      return interpretTableFilter(node, inputs, context)
    case 'tableMapValues':
      return interpretTableMapValues(node, inputs, context)
    case 'foreignKeyJoin':
      return interpretForeignKeyJoin(node, inputs, context)
    case 'foreignKeyRespond':
      return interpretForeignKeyRespond(node, inputs, context)
    case 'foreignKeyStore':
      return interpretForeignKeyStore(node, inputs, context)
    case 'foreignKeySubscribe':
      return interpretForeignKeySubscribe(node, inputs, context)
    case 'tableTableJoin':
      return interpretTableTableJoin(node, inputs, context)
    case 'tableAggregate':
      return interpretTableAggregate(node, inputs, context)
    case 'tableGroupBy':
      return interpretTableGroupBy(node, inputs, context)
  }
}
