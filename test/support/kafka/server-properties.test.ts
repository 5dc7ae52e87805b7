import { expect, test } from 'vitest'
import { randomClusterId, singleNode, toImageVariables, toPropertiesFile } from './server-properties.ts'

test('a node behind a port mapping binds one address and advertises another', () => {
  const node = singleNode({
    listen: '0.0.0.0:9092',
    advertise: '127.0.0.1:40001',
    controller: '127.0.0.1:9093',
  })
  expect(node['listeners']).toBe('PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093')
  expect(node['advertised.listeners']).toBe('PLAINTEXT://127.0.0.1:40001,CONTROLLER://127.0.0.1:9093')
  expect(node['controller.quorum.voters']).toBe('1@127.0.0.1:9093')
})

test('a properties file holds a line per property, and a backslash stays one', () => {
  expect(toPropertiesFile({ 'node.id': '1', 'log.dirs': 'C:\\kafka' })).toBe(
    'node.id=1\nlog.dirs=C:\\\\kafka\n',
  )
})

test('an image variable can be told back into its property', () => {
  expect(toImageVariables({ 'log.dirs': 'a', 'some_name.with-dash': 'b' })).toEqual({
    KAFKA_LOG_DIRS: 'a',
    KAFKA_SOME__NAME_WITH___DASH: 'b',
  })
})

test('a cluster id is 22 characters, and never looks like an option', () => {
  const ids = Array.from({ length: 500 }, randomClusterId)
  expect(ids.every((id) => /^[\w][\w-]{21}$/.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(500)
})
