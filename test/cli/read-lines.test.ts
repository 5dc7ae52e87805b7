import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readLines } from '../../src/cli/read-lines.ts'

const linesOf = async (chunks: readonly Uint8Array[]): Promise<readonly string[]> => {
  const lines: string[] = []
  for await (const line of readLines(streamOf(chunks))) lines.push(line)
  return lines
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* chunks
}

it('lines end at line feeds alone, with or without a carriage return', async () => {
  const text = '{"a":"x\u2028y\u2029z"}\r\nlone \r return\n\nlast'
  expect(await linesOf([Buffer.from(text)])).toEqual([
    '{"a":"x\u2028y\u2029z"}',
    'lone \r return',
    '',
    'last',
  ])
})

it('the first line keeps a byte order mark', async () => {
  expect(await linesOf([Buffer.from('\uFEFFone\ntwo')])).toEqual(['\uFEFFone', 'two'])
})

it('lines are the same however their bytes are cut', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''))),
      fc.array(fc.nat(40)),
      async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const ends = cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((left, right) => left - right)
        const chunks = [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length))
        expect(await linesOf(chunks)).toEqual(lines)
      },
    ),
  ))
