import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/base/fault.ts'
import { restoreFailed } from '../../src/runtime/restore-failure.ts'

const place = { topic: 'shop-orders-changelog', partition: 2, offset: 41, store: 'orders' }
const thrownBy = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return expect.unreachable()
}
const systemError = (code: string, message: string): Error => Object.assign(new Error(message), { code })

describe('a store that cannot be restored', () => {
  it.each<[string, unknown, RegExp]>([
    ['a full disk', systemError('ENOSPC', 'no space left on device'), /^free space .*stateDirectory/],
    ['a read-only disk', systemError('EROFS', 'read-only file system'), /^make it writable .*stateDirectory/],
    ['too few open files', systemError('EMFILE', 'too many open files'), /ulimit -n/],
    ['any other error of the disk', systemError('EIO', 'i/o error'), /^check the disk.*stateDirectory/],
    [
      'a fault with a remedy of its own',
      new Fault({ code: 'STATE_DISK_FAILED', actor: 'runtime', message: 'full', remedy: 'free some space' }),
      /^free some space$/,
    ],
    ['bytes that its serde refuses', new SyntaxError('Unexpected token'), /schema of the store has changed/],
    [
      'bytes that are no text, although the error has a code',
      thrownBy(() => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff))),
      /schema of the store has changed/,
    ],
    [
      'a value that does not fit its schema',
      new Fault({ code: 'VALUE_INVALID', actor: 'record', message: 'no such field', remedy: 'skip it' }),
      /schema of the store has changed/,
    ],
    ['a thrown string', 'broken', /schema of the store has changed/],
  ])('because of %s has the remedy for that', (_, cause, remedy) => {
    const fault = restoreFailed('orders', place, cause)
    expect(fault).toMatchObject({ code: 'RESTORE_FAILED', actor: 'runtime', place, cause })
    expect(fault.remedy).toMatch(remedy)
    expect(fault.message).toContain("store 'orders' can't be restored from its changelog")
    expect(fault.message).not.toContain('undefined')
  })
})
