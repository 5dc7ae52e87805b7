import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort, freePorts } from './free-port.ts'

test('a free port can be listened on', async () => {
  const port = await freePort()
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  expect(server.address()).toMatchObject({ port, address: '127.0.0.1' })
  server.close()
})

test('ports asked for together are all different', async () => {
  const ports = await freePorts(50)
  expect(new Set(ports).size).toBe(50)
})

test('ports asked for one after another are all different, although nobody listens on them yet', async () => {
  const ports: number[] = []
  for (let count = 0; count < 3_000; count++) ports.push(await freePort())
  expect(new Set(ports).size).toBe(3_000)
})
