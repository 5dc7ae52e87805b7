import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import { badQuery } from './key-text.ts'
import { problemOf } from './problem.ts'

/** Answers what is no HTTP request, or one that is not complete in time, and closes its connection. */
export const refuseUnreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  const { code = '' } = error
  // Before its TLS handshake is complete, a connection takes no answer.
  if (code === 'ECONNRESET' || /^ERR_(TLS|SSL)_/.test(code) || !socket.writable) return void socket.destroy()
  const [status, message] = answers[code] ?? [400, 'this is no HTTP request']
  const body = JSON.stringify(problemOf(badQuery(message)).problem)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

const answers: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: [431, 'the headers of the request are too large'],
}
