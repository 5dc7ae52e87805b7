import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'

/** A connection on which any bytes may be sent, as no HTTP client would. */
export const rawConnection = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

export interface RawAnswer {
  readonly status: number
  readonly headers: string
  readonly body: string
}

/** Sends these lines as a request of its own connection, and reads the answer to its end. */
export const rawRequest = async (port: number, lines: readonly string[], body = ''): Promise<RawAnswer> => {
  const socket = await rawConnection(port)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const [head, ...rest] = lines
  socket.write([head, ...rest, 'Connection: close', '', body].join('\r\n'))
  await once(socket, 'close')
  const end = text.indexOf('\r\n\r\n')
  return {
    status: Number(text.split(' ')[1]),
    headers: text.slice(0, end).toLowerCase(),
    body: text.slice(end + 4),
  }
}
