import { start, startThreads, string, topic, topology } from 'millrace'

/** Runs one application as the README does, with the listeners that the first argument names; a record `bad` fails. */
const records = topic('records', { value: string })
const results = topic('results', { value: string })

export const upper = topology('upper', (builder) => {
  builder
    .stream(records)
    .mapValues((text) => {
      if (text === 'bad') throw new Error('a bad record')
      return text.toUpperCase()
    })
    .to(results)
})

const program = async (mode: string, bootstrapServers: string, stateDirectory: string): Promise<void> => {
  const autoOffsetReset: 'latest' | 'earliest' = process.env['RESET'] === 'latest' ? 'latest' : 'earliest'
  const settings = { bootstrapServers, stateDirectory, autoOffsetReset, applicationId: `upper-${mode}` }
  const listener = {
    ...(mode === 'silenced' ? { logger: false as const } : {}),
    ...(mode === 'states' ? { onState: () => {}, onWarning: () => {} } : {}),
  }
  const application =
    mode === 'threads'
      ? await startThreads({ module: import.meta.url }, settings, { ...listener, threads: 2 })
      : await start(upper, settings, listener)
  if (mode === 'handled') application.done.catch((error: Error) => console.log(`handled: ${error.message}`))
  await application.waitFor('running')
  console.log('running')
}

const [mode, bootstrapServers, stateDirectory] = process.argv.slice(2)
// Not awaited: threads import this module too, which must have ended by then.
if (import.meta.main && mode !== undefined) void program(mode, bootstrapServers ?? '', stateDirectory ?? '')
