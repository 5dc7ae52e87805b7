import type { TopologyDifference } from './difference.ts'
import { areBothJson, schemaDifferences } from './diff-schemas.ts'
import { breaking, compareBy, compatible, pairRenamed } from './difference.ts'
import type { StoreSnapshot, TopologySnapshot } from './snapshot.ts'

/** What changes for the state of a running application. */
export const storeDifferences = (
  before: TopologySnapshot,
  after: TopologySnapshot,
): readonly TopologyDifference[] => {
  const verbs = (of: TopologySnapshot, store: string): string =>
    of.steps
      .filter(({ stores }) => stores.includes(store))
      .map(({ verb }) => verb)
      .join()
  const alike = (old: StoreSnapshot, now: StoreSnapshot): boolean =>
    (['kind', 'key', 'value', 'windowSizeMs'] as const).every((part) => old[part] === now[part]) &&
    verbs(before, old.name) === verbs(after, now.name)
  const { removed, added, kept, renamed } = pairRenamed(
    compareBy(({ name }) => name, before.stores, after.stores),
    alike,
  )
  return [
    ...renamed.map(([old, now]) => renamedStore(old, now)),
    ...removed.map(removedStore),
    ...added.map(({ name }) => compatible('STORE_ADDED', name, `store '${name}' is new and begins empty`)),
    ...kept.flatMap(([old, now]) =>
      formatDifferences(old, now).concat(lengthDifferences(old, now), placeDifferences(old, now)),
    ),
  ]
}

const renamedStore = (old: StoreSnapshot, now: StoreSnapshot): TopologyDifference =>
  breaking(
    'STORE_RENAMED',
    now.name,
    `store '${now.name}' seems to be '${old.name}' under a new name: it begins empty, and the state stays behind`,
    `give it its old name back; else run millrace reset FILE --execute and delete '${old.changelog ?? old.name}'`,
  )

const removedStore = (store: StoreSnapshot): TopologyDifference =>
  breaking(
    'STORE_REMOVED',
    store.name,
    `store '${store.name}' is gone, and its state with it`,
    store.changelog === null
      ? 'see that no application queries it'
      : `see that no application queries it, then delete its topic '${store.changelog}'`,
  )

const formatDifferences = (old: StoreSnapshot, now: StoreSnapshot): readonly TopologyDifference[] => {
  const remedy = 'give the store a new name and build it again; if the bytes are the same, go on'
  const differences = (['key', 'value'] as const)
    .filter((part) => old[part] !== now[part] && !areBothJson(part, old, now))
    .map((part) =>
      breaking(
        'STORE_SERDE_CHANGED',
        now.name,
        `the ${part}s of store '${now.name}' were '${old[part]}' and are '${now[part]}': what it holds is misread`,
        remedy,
      ),
    )
    .concat(schemaDifferences(`store '${now.name}'`, now.name, old, now, 'stored'))
  if (old.kind === now.kind) return differences
  const change = `store '${now.name}' was of kind ${old.kind} and is of kind ${now.kind}: its changelog means something else`
  return [...differences, breaking('STORE_KIND_CHANGED', now.name, change, 'give the store a new name')]
}

const lengthDifferences = (old: StoreSnapshot, now: StoreSnapshot): readonly TopologyDifference[] => [
  ...(old.windowSizeMs === now.windowSizeMs
    ? []
    : [
        breaking(
          'STORE_WINDOW_CHANGED',
          now.name,
          `the windows of store '${now.name}' were ${old.windowSizeMs} ms long and are ${now.windowSizeMs} ms: those kept have the old bounds`,
          'give the store a new name, so that its windows start empty',
        ),
      ]),
  ...(old.retentionMs === now.retentionMs || old.kind !== now.kind ? [] : [retentionDifference(old, now)]),
]

/** Without a changelog there is no topic whose settings would stay behind. */
const retentionDifference = (old: StoreSnapshot, now: StoreSnapshot): TopologyDifference => {
  const change = `store '${now.name}' kept ${old.retentionMs} ms and keeps ${now.retentionMs} ms`
  return old.changelog === null || now.changelog === null
    ? compatible('STORE_RETENTION_CHANGED', now.name, change)
    : breaking(
        'STORE_RETENTION_CHANGED',
        now.name,
        `${change}; its changelog topic keeps its old settings`,
        `alter the retention of the topic '${now.changelog}' to fit; what is gone already does not come back`,
      )
}

const placeDifferences = (old: StoreSnapshot, now: StoreSnapshot): readonly TopologyDifference[] => [
  ...(old.changelog === now.changelog ? [] : [changelogDifference(old, now)]),
  ...(old.storage === now.storage
    ? []
    : [
        compatible(
          'STORE_STORAGE_CHANGED',
          now.name,
          `store '${now.name}' was kept in ${old.storage} and is kept in ${now.storage}`,
        ),
      ]),
  ...(old.subTopology === now.subTopology
    ? []
    : [
        compatible(
          'STORE_MOVED',
          now.name,
          `store '${now.name}' has moved from sub-topology ${old.subTopology} to ${now.subTopology}: it is restored from its changelog when the application starts`,
        ),
      ]),
]

const changelogDifference = (old: StoreSnapshot, now: StoreSnapshot): TopologyDifference =>
  old.changelog === null
    ? compatible(
        'CHANGELOG_ADDED',
        now.name,
        `store '${now.name}' has a changelog, with what changes from now on`,
      )
    : breaking(
        'CHANGELOG_CHANGED',
        now.name,
        `the changelog of store '${now.name}' was '${old.changelog}' and is ${now.changelog === null ? 'none' : `'${now.changelog}'`}: a restore finds less than there was`,
        'keep it as it was, or build the store again under a new name',
      )
