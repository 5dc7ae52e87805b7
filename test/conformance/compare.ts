import type { Observed } from './run-scenario.ts'
import type { DescribedFacts, OutputRecord, Scenario, StoreRow } from './scenario.ts'

/**
 * Compares what Millrace made of a scenario with what the scenario expects. Inside one topic order is significant,
 * between topics it is not. Each mismatch is one readable text; none means the scenario passes.
 */
export const compare = (scenario: Scenario, observed: Observed): readonly string[] => [
  ...scenario.steps.flatMap((_, index) =>
    outputMismatches(scenario, index, scenario.expected[index] ?? [], observed.outputs[index] ?? []),
  ),
  ...Object.entries(scenario.stores ?? {}).flatMap(([name, rows]) => {
    const found = observed.stores[name]
    return found === undefined
      ? [`store ${name}: the topology has none of that name`]
      : storeMismatches(name, rows, found)
  }),
  ...(scenario.droppedRecords === undefined || scenario.droppedRecords === observed.droppedRecords
    ? []
    : [`dropped records: expected ${scenario.droppedRecords}, got ${observed.droppedRecords}`]),
  ...(scenario.describe === undefined ? [] : factMismatches(scenario.describe, observed.describe)),
]

const outputMismatches = (
  scenario: Scenario,
  index: number,
  expected: readonly OutputRecord[],
  actual: readonly OutputRecord[],
): readonly string[] => {
  const topics = new Set([...expected, ...actual].map(({ topic }) => topic))
  return [...topics].flatMap((topic) => {
    const wanted = expected.filter((record) => record.topic === topic).map(outputLine)
    const got = actual.filter((record) => record.topic === topic).map(outputLine)
    if (wanted.join('\n') === got.join('\n')) return []
    return [
      `step ${index + 1} ${JSON.stringify(scenario.steps[index])}, topic ${topic}:\n${difference(wanted, got)}`,
    ]
  })
}

const storeMismatches = (
  name: string,
  expected: readonly StoreRow[],
  actual: readonly StoreRow[],
): readonly string[] => {
  const wanted = expected.map(rowLine).toSorted()
  const got = actual.map(rowLine).toSorted()
  return wanted.join('\n') === got.join('\n') ? [] : [`store ${name}:\n${difference(wanted, got)}`]
}

const factMismatches = (expected: DescribedFacts, actual: DescribedFacts): readonly string[] => [
  ...(['subtopologies', 'globalStores'] as const)
    .filter((fact) => expected[fact] !== actual[fact])
    .map((fact) => `describe ${fact}: expected ${expected[fact]}, got ${actual[fact]}`),
  ...(['repartitionTopics', 'changelogTopics'] as const).flatMap((fact) => {
    const [wanted, got] = withoutGenerated(expected[fact], actual[fact])
    return wanted.join('\n') === got.join('\n') ? [] : [`describe ${fact}:\n${difference(wanted, got)}`]
  }),
]

/**
 * Names Kafka Streams made up from a node's position are nobody's contract: as many other names may stand in their
 * place.
 */
const withoutGenerated = (
  expected: readonly string[],
  actual: readonly string[],
): readonly [readonly string[], readonly string[]] => {
  const named = expected.filter((name) => !/^K(STREAM|TABLE)-.*-\d{10}/.test(name))
  let spare = expected.length - named.length
  const got = actual.filter((name) => named.includes(name) || spare-- <= 0)
  return [named.toSorted(), got.toSorted()]
}

/** Lines as a diff: `-` was expected, `+` came instead, no sign is in both. */
const difference = (expected: readonly string[], actual: readonly string[]): string => {
  const lines: string[] = []
  let index = 0
  for (const line of expected) {
    const at = actual.indexOf(line, index)
    if (at < 0) {
      lines.push(`  - ${line}`)
      continue
    }
    while (index < at) lines.push(`  + ${actual[index++]}`)
    lines.push(`    ${line}`)
    index++
  }
  while (index < actual.length) lines.push(`  + ${actual[index++]}`)
  return lines.join('\n')
}

/** Headers count where a record has them: only scenarios about headers list any. */
const outputLine = ({ key, value, timestamp, headers }: OutputRecord): string =>
  `${JSON.stringify(ordered(key))} = ${JSON.stringify(value)} @ ${timestamp}${
    headers === undefined ? '' : ` ${JSON.stringify(headers)}`
  }`

const rowLine = ({ key, windowStart, windowEnd, value, timestamp }: StoreRow): string =>
  JSON.stringify({ key: ordered(key), windowStart, windowEnd, value, timestamp })

/** A windowed key with its fields in one order, so that texts compare. */
const ordered = (key: StoreRow['key']): StoreRow['key'] =>
  key !== null && typeof key === 'object'
    ? { key: key.key, windowStart: key.windowStart, windowEnd: key.windowEnd }
    : key
