import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../src/base/bytes.ts'
import { testDriver } from 'millrace/testing'
import { readSettings } from '../../config/settings.ts'
import { orders } from '../../topologies/contracts.ts'
import { listenToOrders } from '../../topologies/hands-on.ts'

const run = (listenStatus: string): { lines: string[]; pipe: (key: string, value: string) => void } => {
  const lines: string[] = []
  const driver = testDriver(listenToOrders(listenStatus, (line) => lines.push(line)))
  const pipe = (key: string, value: string): void =>
    driver.input(orders).pipeBytes(utf8Encode(key), utf8Encode(value))
  return { lines, pipe }
}

describe('the hands-on exercise', () => {
  it('prints the line of an order whose status is listened to (H6, H8, H9)', () => {
    const { lines, pipe } = run('created')
    pipe('order-123', '{"status": "created"}')
    expect(lines).toEqual(['Order order-123 received with status created'])
  })

  it('prints nothing for another status (H8, H9)', () => {
    const { lines, pipe } = run('created')
    pipe('order-123', '{"status": "cancelled"}')
    expect(lines).toEqual([])
  })

  it('reacts to the status it is configured for (H7)', () => {
    const { listenStatus } = readSettings({ LISTEN_STATUS: 'paid' })
    const { lines, pipe } = run(listenStatus)
    pipe('order-123', '{"status": "created"}')
    pipe('order-124', '{"status": "paid"}')
    expect(lines).toEqual(['Order order-124 received with status paid'])
  })

  it('listens to `created` where nobody says otherwise (H7)', () => {
    expect(readSettings({})).toEqual({ listenStatus: 'created' })
    expect(readSettings({}, '/nowhere/settings.json')).toEqual({ listenStatus: 'created' })
  })

  it('refuses an empty status, and says where to fix it', () => {
    expect(() => readSettings({ LISTEN_STATUS: '' })).toThrow(/listen_status.*fix .*LISTEN_STATUS/s)
  })
})
