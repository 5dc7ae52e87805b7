/** 64-bit integers as doubles: offsets, timestamps and ids fit 53 bits; larger values lose their last digits. */
const TWO_TO_THE_32 = 2 ** 32

export const getInt64 = (view: DataView, at: number): number =>
  view.getInt32(at) * TWO_TO_THE_32 + view.getUint32(at + 4)

export const setInt64 = (view: DataView, at: number, value: number): void => {
  view.setInt32(at, Math.floor(value / TWO_TO_THE_32))
  view.setUint32(at + 4, value >>> 0)
}
