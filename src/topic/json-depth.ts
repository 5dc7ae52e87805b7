/**
 * How deep arrays and objects may be nested. What works through JSON calls itself for each level (`JSON.stringify`, schemas,
 * copies), and some thousand levels overflow the stack, whose remaining size is unknown. Jackson's limit is 1,000.
 */
export const largestJsonDepth = 500

/** True where the brackets of a JSON text nest deeper than that. A text that is no JSON may get either answer. */
export const isTooDeep = (text: string): boolean => {
  // Each level has a bracket on either side.
  if (text.length <= largestJsonDepth * 2) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at)
    else if (code === openBracket || code === openBrace) {
      if (++depth > largestJsonDepth) return true
    } else if (code === closeBracket || code === closeBrace) depth--
  }
  return false
}

/** The closing quote of the string that begins at `start`; the end of the text where there is none. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1))
    if (!isEscaped(text, end)) return end
  return text.length
}

const isEscaped = (text: string, at: number): boolean => {
  let first = at
  while (text.charCodeAt(first - 1) === backslash) first--
  return (at - first) % 2 === 1
}

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
