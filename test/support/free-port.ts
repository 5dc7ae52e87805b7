import { createServer, type AddressInfo, type Server } from 'node:net'

/**
 * A TCP port of the loopback that nobody listens on. The system picks it, so that test files, helpers and a
 * developer's own broker can run side by side; between the answer and its use another process could still take it.
 */
export const freePort = async (): Promise<number> => {
  const [port] = await freePorts(1)
  if (port === undefined) throw new Error('the system gave no port')
  return port
}

/**
 * So many different free ports: all are held until the last is known, or the system could name one twice. It may also name
 * one again that an earlier call got and nobody listens on yet, so that one is asked for again.
 */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers: Server[] = []
  const ports: number[] = []
  while (ports.length < count) {
    const server = await listen()
    const { port } = server.address() as AddressInfo
    servers.push(server)
    if (!given.has(port)) ports.push(port)
    given.add(port)
  }
  await Promise.all(servers.map(close))
  return ports
}

const given = new Set<number>()

const listen = (): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
  })
