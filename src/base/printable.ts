/**
 * Text from outside as a log or a terminal may show it: control characters, line ends and the marks that change the
 * direction of text are escaped as in JSON, so that no text forges a line or drives a terminal.
 */
export const printable = (text: string): string => text.replaceAll(unprintable, escape)

/** The same on one line: lines are joined by a space. */
export const printableLine = (text: string): string =>
  printable(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join(' '),
  )

/** Text as JSON writes it, cut after `length` characters. */
export const quoted = (text: string, length = longestQuote): string =>
  text.length > length
    ? `${printable(JSON.stringify(text.slice(0, length)))}...`
    : printable(JSON.stringify(text))

const longestQuote = 80

/** An address as a message shows it: a URL may hold a password before its host, and a token in its query. */
export const withoutCredentials = (text: string): string =>
  text.replace(/^(\w+:\/\/)?[^]*@/, '$1…@').replace(/[?#][^]*$/, '?…')

/** Controls, formats (such as bidirectional overrides) but the joiners of scripts, separators of lines, halves of pairs. */
const unprintable = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const escape = (character: string): string => {
  const short = shortEscapes[character]
  if (short !== undefined) return short
  const code = (character.codePointAt(0) as number).toString(16)
  return character.length > 1 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
}

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
