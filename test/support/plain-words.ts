/**
 * The words that plain technical English does without, and what to write in their place. Identifiers are read word by
 * word: `tellStatus` and `toldBy` count as "tell" and "told".
 */
const bannedWords: readonly (readonly [RegExp, string])[] = [
  [/\b(?:tells?|told|tellers?)\b/, 'report, log, emit, publish, return or notify'],
  [/\b(?:judge[sd]?|judging|verdicts?)\b/, 'classify, policy, error handler or outcome'],
  [/\bkeepers?\b/, 'the name of what it holds, such as TopologyPlan'],
  [/\bdormant\b/, 'idle'],
  [/\b(?:store|series) life\b/, 'a base class: StateStoreBase'],
  [/\bkept (?:values?|time)\b|\btime kept\b/, 'stored'],
  [/\b(?:held|holds|hold) back\b|\bheld-back\b/, 'buffered or coalesced'],
  [/\bpatience\b/, 'timeout'],
  [/\bmend(?:s|ed)?\b/, 'fix'],
  [/\banew\b/, 'restart or again'],
  [/\bwhoever\b/, 'the component that does it'],
  [/\b(?:nobody|somebody)\b/, 'the component that does it, or the passive'],
  [/\bshall\b/, 'must, will or the present tense'],
  [/\bunless given\b/, 'defaults to'],
  [/\bfor ever\b/, 'forever, permanently or no limit'],
  [/\bworks off\b/, 'processes'],
  [/\bis through\b/, 'completes'],
  [/\bin so many words\b/, 'explicitly'],
  [/\bmatter of\b/, 'a plain verb'],
]

/** Correct uses: the file, the text around the word, and why it stays. */
const allowed: readonly { readonly path: string; readonly text: string; readonly reason: string }[] = []

export interface TextFile {
  readonly path: string
  readonly text: string
}

/** `path:line: word; write ...` for each banned word. */
export const bannedWordsIn = (files: readonly TextFile[]): readonly string[] =>
  files.flatMap(({ path, text }) => {
    const exceptions = allowed.filter((each) => each.path === path)
    return text.split('\n').flatMap((line, index) => {
      if (exceptions.some((each) => line.includes(each.text))) return []
      const words = line.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()
      return bannedWords.flatMap(([pattern, instead]) => {
        const word = pattern.exec(words)?.[0]
        return word === undefined ? [] : [`${path}:${index + 1}: "${word}"; write ${instead}`]
      })
    })
  })
