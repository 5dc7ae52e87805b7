import type { Bytes } from '../base/bytes.ts'
import { compareBytes } from '../base/bytes.ts'

/**
 * Items in the order of their bytes. Three bytes behind what all items have in common, and the item's place, are one number;
 * the engine sorts numbers several times as fast as it calls a comparison. Items that share these bytes are sorted by those
 * that follow.
 */
export const sortByBytes = <T>(items: readonly T[], bytesOf: (item: T) => Bytes): T[] => {
  const sorted: T[] = []
  sortInto(sorted, items, bytesOf)
  return sorted
}

const sortInto = <T>(sorted: T[], items: readonly T[], bytesOf: (item: T) => Bytes): void => {
  if (items.length <= smallGroup) return compareInto(sorted, items, bytesOf)
  const common = commonLength(items, bytesOf)
  const numbers = new Float64Array(items.length)
  for (const [place, item] of items.entries())
    numbers[place] = bytesAt(bytesOf(item), common) * places + place
  numbers.sort()
  let group: T[] = []
  let shared = -1
  for (const number of numbers) {
    const own = Math.floor(number / places)
    if (own !== shared) {
      groupInto(sorted, group, items.length, bytesOf)
      group = []
      shared = own
    }
    group.push(items[number - own * places] as T)
  }
  groupInto(sorted, group, items.length, bytesOf)
}

const groupInto = <T>(sorted: T[], group: readonly T[], outOf: number, bytesOf: (item: T) => Bytes): void => {
  // Where the bytes do not distinguish items, as in keys that end in zeros, a comparison does.
  if (group.length === outOf) compareInto(sorted, group, bytesOf)
  else sortInto(sorted, group, bytesOf)
}

const compareInto = <T>(sorted: T[], items: readonly T[], bytesOf: (item: T) => Bytes): void => {
  const compared =
    items.length < 2 ? items : items.toSorted((left, right) => compareBytes(bytesOf(left), bytesOf(right)))
  for (const item of compared) sorted.push(item)
}

const bytesAt = (bytes: Bytes, at: number): number =>
  (bytes[at] ?? 0) * 0x1_0000 + (bytes[at + 1] ?? 0) * 0x100 + (bytes[at + 2] ?? 0)

const commonLength = <T>(items: readonly T[], bytesOf: (item: T) => Bytes): number => {
  const first = bytesOf(items[0] as T)
  let common = first.length
  for (const item of items) {
    const bytes = bytesOf(item)
    let length = 0
    while (length < common && bytes[length] === first[length]) length++
    common = length
  }
  return common
}

/** 24 bits of bytes and 29 bits of a place are what a number holds exactly. */
const places = 2 ** 29
const smallGroup = 24
