import type { Observable } from 'rxjs'
import { AssertionFailed } from '../base/assert.ts'
import type { AnyRecord, TopologyNode } from '../topology/node.ts'
import type { NodeContext } from './node-context.ts'
import { interpretAggregate } from './nodes/aggregate.ts'
import { interpretFilter } from './nodes/filter.ts'
import { interpretFlatMap, interpretMap, interpretPeek } from './nodes/map.ts'
import { interpretPipe } from './nodes/pipe.ts'
import { interpretProcess } from './nodes/process.ts'
import { interpretRepartition, interpretSink } from './nodes/sink.ts'
import { interpretBranch, interpretMerge, interpretSplit } from './nodes/split.ts'
import {
  interpretTableFilter,
  interpretTableMapValues,
  interpretTableSource,
  interpretToStream,
  interpretToTable,
} from './nodes/table.ts'

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
    case 'tableFilter':
      return interpretTableFilter(node, inputs, context)
    case 'tableMapValues':
      return interpretTableMapValues(node, inputs, context)
    case 'mapAsync':
    case 'deduplicate':
    case 'windowAggregate':
    case 'slidingAggregate':
    case 'sessionAggregate':
    case 'tableGroupBy':
    case 'tableAggregate':
    case 'suppress':
    case 'streamTableJoin':
    case 'streamGlobalTableJoin':
    case 'streamStreamJoin':
    case 'tableTableJoin':
    case 'foreignKeySubscribe':
    case 'foreignKeyStore':
    case 'foreignKeyRespond':
    case 'foreignKeyJoin':
      throw new AssertionFailed(`no interpreter for ${node.kind} yet`)
  }
}
