import type { Observable } from 'rxjs'
import { Fault } from '../../base/fault.ts'
import { changelogTopicOf } from '../../runtime/internal-topics.ts'
import type { StreamRecord } from '../../topic/record.ts'
import type { Serde } from '../../topic/serde.ts'
import { nullable } from '../../topic/serde.ts'
import type { StoreDefinition } from '../../topology/store-definition.ts'
import type { Settings } from '../settings.ts'
import { ObservedTopic } from './observed-topic.ts'

/** The changes of the stores of one application, from their changelogs. A deletion has the value null. */
export const changesOf =
  (settings: Settings & { readonly applicationId: string }) =>
  (definition: StoreDefinition, from: 'beginning' | 'latest'): Observable<StreamRecord<unknown, unknown>> => {
    if (!definition.changelog) throw withoutChangelog(definition.name)
    const contract = {
      name: changelogTopicOf(settings.applicationId, definition),
      key: definition.key as unknown as Serde<unknown>,
      value: nullable(definition.value as unknown as Serde<unknown>),
    }
    return new ObservedTopic(settings, contract, { from })
  }

const withoutChangelog = (store: string): Fault =>
  new Fault({
    code: 'STORE_WITHOUT_CHANGELOG',
    actor: 'author',
    message: `store '${store}' has no changelog, which its changes are read from`,
    remedy: 'declare the store with changelog: true, or write the table to a topic with toStream().to(…)',
    place: { store },
  })
