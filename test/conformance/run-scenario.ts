import type { Topic } from 'millrace'
import { TestDriver } from '../../src/testing/test-driver.ts'
import { headerText } from '../../src/topic/headers.ts'
import { utf8Encode } from '../../src/base/bytes.ts'
import { globalTablesOf, subTopologiesOf } from '../../src/topology/sub-topologies.ts'
import type { StoreDefinition } from '../../src/topology/store-definition.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Datum } from './functions.ts'
import { interpretScenario } from './interpret-scenario.ts'
import type { DescribedFacts, OutputRecord, Scenario, Step, StoreRow, Value } from './scenario.ts'
import { keyOf, rowsOf } from './store-rows.ts'

/** What Millrace made of a scenario, in the words of the scenario's own file. */
export interface Observed {
  readonly outputs: readonly (readonly OutputRecord[])[]
  readonly stores: Readonly<Record<string, readonly StoreRow[]>>
  readonly droppedRecords: number
  readonly describe: DescribedFacts
}

/** Builds the scenario's topology, feeds it step by step, and notes what came out. */
export const runScenario = (scenario: Scenario): Observed => {
  const { topology, inputs, outputs } = interpretScenario(scenario)
  // Without a size, Kafka Streams was recorded with its record cache off.
  const driver = new TestDriver([topology], {}, (scenario.config?.cacheBytes ?? 0) === 0)
  const observed = scenario.steps.map((step) => {
    take(driver, step, inputs)
    const records = [...outputs.values()].flatMap((topic) => written(driver, topic, step))
    return scenario.config?.headers === true ? records : records.map(withoutHeaders)
  })
  const stores = topology.stores.filter(({ name }) => scenario.stores?.[name] !== undefined)
  const result: Observed = {
    outputs: observed,
    stores: Object.fromEntries(stores.map((store) => [store.name, storedRows(driver, store, scenario)])),
    droppedRecords: droppedBy(driver.dropped()),
    describe: factsOf(topology),
  }
  driver.close()
  return result
}

const take = (driver: TestDriver, step: Step, inputs: ReadonlyMap<string, Topic<Datum, Datum>>): void => {
  if ('advanceWallClockMs' in step) {
    // In one jump, as Kafka Streams' test driver: a punctuator is called once, however many intervals have passed.
    driver.clock.advance(step.advanceWallClockMs)
    return driver.advanceWallClock(0)
  }
  const { topic, key, value, timestamp, headers = [] } = step.pipe
  const input = inputs.get(topic)
  // A topic nobody reads takes its records and nothing happens.
  if (input !== undefined)
    driver.input(input).pipe(key as Datum, value, {
      timestamp,
      headers: headers.map(([name, content]) => [name, content === null ? null : utf8Encode(content)]),
    })
}

/** What the step wrote to a topic; where it is piped into as well, the piped record is not an output. */
const written = (driver: TestDriver, topic: Topic<Datum, Datum>, step: Step): readonly OutputRecord[] => {
  const records = driver.output(topic).readAll()
  const piped = 'pipe' in step && step.pipe.topic === topic.name ? 1 : 0
  return records.slice(piped).map(({ key, value, timestamp, headers }) => ({
    topic: topic.name,
    key: keyOf(key),
    value: value as Value,
    timestamp,
    headers: headers.map((header) => [header[0], headerText([header], header[0]) ?? null]),
  }))
}

const withoutHeaders = ({ topic, key, value, timestamp }: OutputRecord): OutputRecord => ({
  topic,
  key,
  value,
  timestamp,
})

const storedRows = (driver: TestDriver, store: StoreDefinition, scenario: Scenario): readonly StoreRow[] => {
  const pipes = scenario.steps.flatMap((step) => ('pipe' in step ? [step.pipe] : []))
  return rowsOf(store, driver.store(store.name), {
    keys: [...pipes.map(({ key }) => key), ...(scenario.stores?.[store.name] ?? []).map(({ key }) => key)],
    timestamps: pipes.map(({ timestamp }) => timestamp),
  })
}

const factsOf = (topology: Topology): DescribedFacts => {
  const subTopologies = subTopologiesOf(topology)
  const globals = globalTablesOf(topology)
  const globalStores = new Set(globals.map(({ store }) => store.name))
  return {
    subtopologies: subTopologies.length,
    globalStores: globals.length,
    repartitionTopics: subTopologies.flatMap(({ reads }) => reads.map(({ topic }) => topic)).toSorted(),
    changelogTopics: topology.stores
      .filter(({ name, changelog }) => changelog && !globalStores.has(name))
      .map(({ name, changelogTopic }) => changelogTopic ?? `${name}-changelog`)
      .toSorted(),
  }
}

/** Kafka Streams does not count the records without key that it filters before a repartition topic. */
const droppedBy = (counts: ReturnType<TestDriver['dropped']>): number =>
  Object.entries(counts)
    .filter(([reason]) => reason !== 'nullRepartitionKey')
    .reduce((sum, [, count]) => sum + count, 0)
