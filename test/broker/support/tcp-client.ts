import { connect, type Socket } from 'node:net'
import type { ApiSchema, Draft, Message } from '../../../src/broker/protocol/schema.ts'
import { decodeResponse, encodeRequest } from './wire-client.ts'

/** Speaks the schema table's bytes to any broker over TCP, one request at a time. */
export class TcpClient {
  readonly #socket: Socket
  #correlationId = 0
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (frame: Uint8Array) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('close', () => this.#waiting?.reject(new Error('the broker closed the connection')))
    socket.on('error', (error) => this.#waiting?.reject(error))
  }

  static open(bootstrapServers: string): Promise<TcpClient> {
    const [host = '', port = ''] = bootstrapServers.split(',')[0]?.split(':') ?? []
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), host, () => resolve(new TcpClient(socket)))
      socket.once('error', reject)
    })
  }

  async call<const S extends ApiSchema>(
    schema: S,
    version: number,
    fields: Draft<S['request']>,
  ): Promise<Message<S['response']>> {
    if (this.#socket.destroyed) throw new Error('the connection is closed')
    const frame = encodeRequest(schema, version, ++this.#correlationId, fields)
    const length = Buffer.alloc(4)
    length.writeInt32BE(frame.length)
    const answer = new Promise<Uint8Array>((resolve, reject) => (this.#waiting = { resolve, reject }))
    this.#socket.write(Buffer.concat([length, frame]))
    return decodeResponse(schema, version, await answer)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    if (this.#received.length < 4) return
    const end = this.#received.readInt32BE(0) + 4
    if (this.#received.length < end) return
    const frame = this.#received.subarray(4, end)
    this.#received = this.#received.subarray(end)
    this.#waiting?.resolve(frame)
  }
}
