import { parseArgs } from 'node:util'

/** How `npm start` is called. */
export interface Options {
  /** `host:port` of an Apache Kafka; the embedded broker where none is given. */
  readonly brokers: string | undefined
  readonly keep: boolean
  readonly port: number
  readonly help: boolean
}

export const help = `Runs the order system and prints each flow as it happens.

  npm start                            on an embedded broker, and ends by itself
  npm start -- --keep                  leaves it running until Ctrl-C, for the command millrace to look at
  npm start -- --port 9092             on an embedded broker that listens on this port
  npm start -- --brokers host:port     on Apache Kafka`

const known = {
  brokers: { type: 'string' },
  keep: { type: 'boolean', default: false },
  port: { type: 'string', default: '0' },
  help: { type: 'boolean', default: false },
} as const

/** Reads the options; a call that is wrong comes back as one line that names what is right. */
export const readOptions = (args: readonly string[]): Options | string => {
  try {
    const { brokers, keep, port, help: asked } = parseArgs({ args: [...args], options: known }).values
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
      return `--port '${port}' is no port; use a whole number from 0 to 65535`
    return { brokers, keep, port: Number(port), help: asked }
  } catch (error) {
    const [what] = (error as Error).message.split('. ')
    return `${what}; use ${Object.keys(known)
      .map((name) => `--${name}`)
      .join(', ')}`
  }
}
