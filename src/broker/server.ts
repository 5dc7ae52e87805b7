import { createServer, type Server, type Socket } from 'node:net'
import { Fault, messageOf } from '../base/fault.ts'
import type { BrokerCore, Connection } from './core.ts'

/** The socket shell: frames over loopback TCP, each handed to the core, answers in the order of the requests. */
export interface Listening {
  readonly port: number
  readonly close: () => Promise<void>
}

const HOST = '127.0.0.1'
/** Kafka's `socket.request.max.bytes`. */
const MAX_FRAME_BYTES = 104857600

export interface ListenOptions {
  readonly port: number
  readonly connectionsMaxIdleMs: number
}

export const listen = async (
  core: BrokerCore,
  { port, connectionsMaxIdleMs }: ListenOptions,
): Promise<Listening> => {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.setTimeout(connectionsMaxIdleMs)
    serve(socket, core.connect(`/${socket.remoteAddress ?? HOST}`))
  })
  await bound(server, port)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const bound = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? portInUse(port, error) : error),
    )
    server.listen(port, HOST, resolve)
  })

const portInUse = (port: number, cause: Error): Fault =>
  new Fault({
    code: 'PORT_IN_USE',
    actor: 'author',
    message: `port ${port} is in use, so the embedded broker cannot listen on it`,
    remedy: 'stop what listens there, choose another port, or port 0 for any free one',
    cause,
  })

/**
 * Serves one client. As on Kafka, a request is read when the one before is answered and its answer is on its way: a
 * client that sends more than it reads waits, and takes no memory.
 */
const serve = (socket: Socket, connection: Connection): void => {
  const frames = new FrameSplitter()
  const waiting: Uint8Array[] = []
  let answering: Promise<void> | undefined
  const answerAll = async (): Promise<void> => {
    for (let frame = waiting.shift(); frame !== undefined && !socket.destroyed; frame = waiting.shift())
      await answer(socket, connection, frame)
    answering = undefined
    socket.resume()
  }
  socket.on('error', () => socket.destroy())
  // A client that waits for its answer is not idle; one that does not read what it asked for is.
  socket.on('timeout', () => {
    if (answering === undefined || socket.writableNeedDrain) socket.destroy()
  })
  socket.on('close', () => connection.close())
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of frames.split(chunk)) waiting.push(frame)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(messageOf(error)))
      return
    }
    if (waiting.length > 0) answering ??= answerAll()
    // With nothing waiting it goes on reading, which is how it notices that the client has gone.
    if (waiting.length > 0) socket.pause()
  })
}

const answer = async (socket: Socket, connection: Connection, frame: Uint8Array): Promise<void> => {
  try {
    const chunks = await connection.request(frame)
    if (chunks === undefined || socket.destroyed) return
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    socket.cork()
    socket.write(length)
    for (const chunk of chunks) socket.write(chunk)
    socket.uncork()
    if (socket.writableNeedDrain) await drained(socket)
  } catch {
    socket.destroy()
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      socket.off('drain', finish)
      socket.off('close', finish)
      resolve()
    }
    socket.on('drain', finish)
    socket.on('close', finish)
  })

/** Cuts the stream at the length prefixes; a frame that came in one piece is not copied. */
class FrameSplitter {
  #pending: Buffer[] = []
  #pendingLength = 0
  #needed = 4

  split(chunk: Buffer): Buffer[] {
    this.#pending.push(chunk)
    this.#pendingLength += chunk.length
    if (this.#pendingLength < this.#needed) return []
    let bytes = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending, this.#pendingLength)
    const frames: Buffer[] = []
    this.#needed = 4
    while (bytes.length >= 4) {
      const length = bytes.readInt32BE(0)
      if (length < 0 || length > MAX_FRAME_BYTES)
        throw new Error(`a frame of ${length} bytes is not a request`)
      this.#needed = length + 4
      if (bytes.length < this.#needed) break
      frames.push(bytes.subarray(4, this.#needed))
      bytes = bytes.subarray(this.#needed)
      this.#needed = 4
    }
    this.#pending = bytes.length === 0 ? [] : [bytes]
    this.#pendingLength = bytes.length
    return frames
  }
}
