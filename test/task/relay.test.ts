import { describe, expect, it } from 'vitest'
import { Relay } from '../../src/task/relay.ts'
import { StreamRecord } from '../../src/topic/record.ts'

const record = StreamRecord.of('k', 'v', 0)

describe('a relay', () => {
  it('hands a record to its followers in the order in which they came', () => {
    const relay = new Relay()
    const heard: string[] = []
    relay.subscribe(() => heard.push('first'))
    relay.subscribe(() => heard.push('second'))
    relay.next(record)
    expect(heard).toEqual(['first', 'second'])
  })

  it('lets followers come and go while a record is on its way, which those that were there all get', () => {
    const relay = new Relay()
    const heard: string[] = []
    const first = relay.subscribe(() => {
      heard.push('first')
      first.unsubscribe()
      relay.subscribe(() => heard.push('late'))
    })
    relay.subscribe(() => heard.push('second'))
    relay.next(record)
    expect(heard).toEqual(['first', 'second'])
    relay.next(record)
    expect(heard).toEqual(['first', 'second', 'second', 'late'])
  })
})
