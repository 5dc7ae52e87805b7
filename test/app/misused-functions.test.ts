import { afterAll, describe, expect, it } from 'vitest'
import { Queries } from '../../src/app/queries/queries.ts'
import {
  connect,
  describeTopology,
  diffTopologies,
  dotOf,
  headerText,
  lastHeader,
  mermaidOf,
  reset,
  snapshotOf,
  string,
  topic,
  topology,
  validateTogether,
  validateTopology,
  windowed,
  withHeader,
} from '../../src/index.ts'
import { testDriver } from '../../src/testing/index.ts'

const words = topic('words', { value: string })
const plain = topology('plain', (builder) => builder.stream(words).to(topic('out', { value: string })))

const client = connect({ bootstrapServers: 'localhost:1' })
afterAll(() => client.close())
const queries = new Queries({ host: { topology: plain } } as never, {} as never)
const driver = testDriver(plain)
const input = driver.input(words)

/** What JavaScript may call, with what the message begins with. */
const calls: readonly (readonly [string, (...given: never[]) => unknown, readonly unknown[]])[] = [
  ['write needs an array of records', (a, b) => client.write(a, b), [words, { key: 'k', value: 'v' }]],
  ['write needs an array of records', (a, b) => client.write(a, b), [words]],
  ['write needs a topic', (a, b) => client.write(a, b), ['words', []]],
  ["a record for topic 'words' needs an object", (a, b) => client.write(a, b), [words, [null]]],
  [
    "a record for topic 'words': the option 'key' is missing",
    (a, b) => client.write(a, b),
    [words, [{ value: 'v' }]],
  ],
  ['writeBytes needs an array of records', (a, b) => client.writeBytes(a, b), ['words']],
  ['deleteTopics needs an array', (a) => client.deleteTopics(a), ['words']],
  ['deleteTopics needs an array', (a) => client.deleteTopics(a), [[5]]],
  ['createTopics needs an array', (a) => client.createTopics(a), ['words']],
  ['deleteGroup needs a text', (a) => client.deleteGroup(a), []],
  ['reset: settings needs settings', reset, [plain]],
  ['reset needs a topology', reset, []],
  ['describeTopology needs a topology', describeTopology, [5]],
  ['mermaidOf needs a topology', mermaidOf, [5]],
  ['mermaidOf needs a topology', mermaidOf, [[plain, null]]],
  ['dotOf needs a topology', dotOf, []],
  ['snapshotOf needs a topology', snapshotOf, [{}]],
  ['validateTopology needs a topology', validateTopology, [null]],
  ['validateTogether needs an array of topologies', validateTogether, [plain]],
  ['diffTopologies: before needs a topology', diffTopologies, [{}, plain]],
  ['diffTopologies: after needs a topology', diffTopologies, [plain]],
  ['headerText needs the headers', headerText, [5, 'x']],
  ['lastHeader needs the headers', lastHeader, [undefined, 'x']],
  ['withHeader needs the headers', withHeader, [{}, 'a', 'b']],
  ['withHeader: the name needs a text', withHeader, [[], 5, 'b']],
  ['withHeader: the text needs a text', withHeader, [[], 'a', 5]],
  ['tableStore needs a text', (name) => queries.tableStore(name), []],
  ['windowStore needs a text', (name) => queries.windowStore(name), [5]],
  ['metadataForKey needs a text', (name) => queries.metadataForKey(name, 'k'), []],
  ['metadataForStore needs a text', (name) => queries.metadataForStore(name), []],
  ["pipeAll of topic 'words' needs an array", (a) => input.pipeAll(a), [5]],
  ["pipeAll of topic 'words' needs an array", (a) => input.pipeAll(a), [[null]]],
  ["pipeBytes of topic 'words': key needs bytes", (a, b) => input.pipeBytes(a, b), []],
  ['testDriver needs topologies', testDriver, [[]]],
  ['testDriver needs topologies', testDriver, []],
]

describe('a public function refuses what it cannot take', () => {
  it.each(calls)('%s', async (message, call, given) => {
    const failure: unknown = await (async () => await call(...(given as never[])))().catch(
      (error: unknown) => error,
    )
    expect(failure).toMatchObject({
      code: expect.stringMatching(/^(ARGUMENT|OPTIONS)_INVALID$/) as string,
      message: expect.stringContaining(message) as string,
      actor: 'author',
    })
  })

  it.each<[string, unknown, unknown]>([
    ['windowed: startMs is undefined, not a time', undefined, undefined],
    ['windowed: endMs is a text, not a time', 5, '6'],
  ])('in the times of a window: %s', (message, startMs, endMs) => {
    const failure = { code: 'TIMESTAMP_INVALID', actor: 'record' }
    expect(() => windowed('k', startMs as number, endMs as number)).toThrow(message)
    expect(() => windowed('k', startMs as number, endMs as number)).toThrow(expect.objectContaining(failure))
  })

  it('and takes what it can', () => {
    expect(diffTopologies(snapshotOf(plain), plain)).toEqual([])
    expect(mermaidOf([plain])).toBe(mermaidOf(plain))
    expect(dotOf([])).toContain('digraph')
    expect(withHeader([], '', '')).toMatchObject([['', { length: 0 }]])
    expect(windowed('k', 0, Infinity)).toEqual({ key: 'k', startMs: 0, endMs: Infinity })
  })
})
