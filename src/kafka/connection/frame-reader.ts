/**
 * Cuts what a connection receives into frames: four bytes that hold a size, then so many bytes.
 *
 * The socket writes into `room` itself. A frame that has not come as a whole with its beginning is given memory of its
 * own, and the rest of it is read into that directly, so a response of up to 16 MB is copied once, by the operating
 * system, and a socket is asked once for what else would take sixteen reads. What is handed over is never written to again.
 *
 * @example
 * const frames = new FrameReader((frame) => console.log(frame.length))
 * frames.take(socket.readInto(frames.room))
 */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void
  readonly #stage: Buffer = Buffer.allocUnsafeSlow(stageBytes)
  #staged = 0
  #frame: Buffer | undefined
  #filled = 0
  #frameSize = 0

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame
  }

  /** Where the next bytes belong; asked again before each read. */
  get room(): Buffer {
    return this.#frame === undefined ? this.#stage.subarray(this.#staged) : this.#frame.subarray(this.#filled)
  }

  /** So many bytes have come into `room`. Throws a RangeError where a size cannot be one. */
  take(length: number): void {
    if (this.#frame === undefined) this.#takeStaged(length)
    else this.#takeRest(this.#frame, length)
  }

  #takeRest(frame: Buffer, length: number): void {
    this.#filled += length
    if (this.#filled < frame.length) return
    if (this.#filled < this.#frameSize) {
      this.#frame = grown(frame, Math.min(frame.length * 2, this.#frameSize))
      return
    }
    this.#frame = undefined
    this.#onFrame(frame)
  }

  #takeStaged(length: number): void {
    const end = this.#staged + length
    let at = 0
    while (end - at >= sizeBytes) {
      const size = this.#stage.readInt32BE(at)
      if (size < 0 || size > maxFrameBytes)
        throw new RangeError(`a frame of ${size} bytes is no answer of Kafka`)
      const from = at + sizeBytes
      const frame = Buffer.allocUnsafe(Math.min(size, largestClaimBytes))
      const filled = this.#stage.copy(frame, 0, from, Math.min(end, from + size))
      at = from + filled
      if (filled === size) this.#onFrame(frame)
      else {
        this.#frame = frame
        this.#filled = filled
        this.#frameSize = size
      }
    }
    this.#stage.copyWithin(0, at, end)
    this.#staged = end - at
  }
}

const grown = (frame: Buffer, length: number): Buffer => {
  const larger = Buffer.allocUnsafeSlow(length)
  larger.set(frame)
  return larger
}

const sizeBytes = 4
const stageBytes = 65_536
/** Far above what is asked for; the first bytes of another protocol, as of HTTP, are beyond it. */
const maxFrameBytes = 2 ** 30
/** Four bytes may claim no more memory than this; beyond it, a frame gets room as its bytes come. */
const largestClaimBytes = 2 ** 24
