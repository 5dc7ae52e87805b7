/**
 * What Kafka Streams commits beside an offset (`TopicPartitionMetadata`, version 2): the partition's time, so that a
 * timestamp extractor finds it again after a restart. base64 of 02, the time as 64 bits, and optionally a count of
 * named 64-bit numbers of processors.
 */
export const encodeOffsetMetadata = (partitionTimeMs: number): string => {
  const bytes = new Uint8Array(9)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 2)
  view.setBigInt64(1, BigInt(partitionTimeMs))
  return Buffer.from(bytes).toString('base64')
}

/** The partition's time; -1 where the metadata is not of this kind. */
export const decodeOffsetMetadata = (metadata: string | null | undefined): number => {
  const bytes = Buffer.from(metadata ?? '', 'base64')
  if (bytes.length < 9 || (bytes[0] !== 1 && bytes[0] !== 2)) return -1
  return Number(bytes.readBigInt64BE(1))
}
