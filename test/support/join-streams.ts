import type { Stream, StreamJoinOptions } from '../../src/index.ts'

export type JoinKind = 'inner' | 'left' | 'outer'
type Text = string | null
type Joined = Stream<Text, string>

/** The join of that kind, for tests that hold for several. */
export const joinStreams = (
  kind: JoinKind,
  left: Stream<Text, Text>,
  right: Stream<Text, Text>,
  joiner: (one: Text, other: Text) => string,
  options: StreamJoinOptions<Text, Text, Text, string>,
): Joined => {
  if (kind === 'left') return left.leftJoin(right, joiner, options)
  if (kind === 'outer') return left.outerJoin(right, joiner, options)
  return left.join(right, joiner, options) as Stream<unknown, string> as Joined
}
