import { describe, expect, it } from 'vitest'
import { nullable, string, topic, topology, within } from '../../src/index.ts'
import type { TestDriver } from '../../src/testing/index.ts'
import type { JoinKind } from '../support/join-streams.ts'
import { joinStreams } from '../support/join-streams.ts'
import { recording, replayed, rowsOn } from './recording.ts'

const left = topic('left', { key: nullable(string), value: nullable(string) })
const right = topic('right', { key: nullable(string), value: nullable(string) })
const out = topic('out', { value: string })

const windows = { inner: within(1000, { grace: 500 }), left: within(100, { grace: 50 }), outer: within(100, { grace: 50 }) }

const run = (kind: JoinKind): TestDriver =>
  replayed(
    `join-${kind}`,
    topology('app', (builder) => {
      const joiner = (one: string | null, other: string | null): string => `${one}+${other}`
      const options = { name: 'js', windows: windows[kind] }
      joinStreams(kind, builder.stream(left), builder.stream(right), joiner, options).to(out)
    }),
  )

describe.each(['inner', 'left', 'outer'] as const)('the bytes of a stream-stream join: %s', (kind) => {
  const { topics } = recording(`join-${kind}`)
  it.each(Object.keys(topics))('%s holds what Kafka Streams writes', (name) => {
    const expected = topics[name]?.map((row) => ({ ...row, afterInput: undefined }))
    expect(rowsOn(run(kind), name)).toEqual(expected)
  })
})
