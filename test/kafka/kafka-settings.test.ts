import { describe, expect, it } from 'vitest'
import { parseBrokers } from '../../src/kafka/kafka-settings.ts'

describe('a list of brokers', () => {
  it('holds hosts with ports, separated by commas', () => {
    expect(parseBrokers('kafka-1:9093, 10.0.0.2 ,[::1]:19092')).toEqual([
      { host: 'kafka-1', port: 9093 },
      { host: '10.0.0.2', port: 9092 },
      { host: '::1', port: 19_092 },
    ])
  })

  it.each(['', ' , ', 'host:port', 'host:0', 'host:99999', 'http://host:9092', 'a b:1'])(
    'is not %j',
    (text) => {
      expect(() => parseBrokers(text)).toThrow(
        expect.objectContaining({ code: 'BROKERS_INVALID', actor: 'author' }),
      )
    },
  )

  it.each(['sasl://shop:pa/ss@kafka:9092', 'shop:secret@kafka:9092'])(
    'is refused without its password: %j',
    (text) => {
      expect(() => parseBrokers(text)).toThrow(/'(sasl:\/\/)?…@kafka:9092' is no list/)
    },
  )

  it.each([
    'sasl://u:PASSWORD@host',
    'kafka-1:9092,sasl://u:PASSWORD@host:9092',
    'u:PASS,WORD@host:9092',
    'PASSWORD@host:9092',
    'sasl://u:PASS,WORD',
  ])('is refused without a word of it where it may hold a password: %j', (text) => {
    expect(() => parseBrokers(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/PASS|WORD/) }),
    )
  })
})
