/**
 * The lines of a stream of UTF-8 text: they end at a line feed, and a carriage return right before it belongs to the end.
 * Node's `readline` also ends them at U+2028, U+2029 and a lone carriage return, which may stand inside a JSON text.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  // A byte order mark at the beginning is part of the first line, as any other character.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let parts: string[] = []
  for await (const chunk of input) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n')
    const last = lines.pop() as string
    for (const line of lines) {
      parts.push(line)
      yield withoutReturn(parts.join(''))
      parts = []
    }
    if (last !== '') parts.push(last)
  }
  parts.push(decoder.decode())
  const rest = parts.join('')
  if (rest !== '') yield rest
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)
