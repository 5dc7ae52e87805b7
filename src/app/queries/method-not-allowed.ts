import { Fault } from '../../base/fault.ts'
import type { Route } from './route.ts'

/** The methods that a path has, where a request used another one; none where there is no such path. */
export const methodsOf = (routes: readonly Route[], url: string): readonly string[] => {
  const path = url.split('?', 1)[0] as string
  const matching = routes.filter((route) => patternOf(route).test(path))
  return matching.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}

const patternOf = ({ path }: Route): RegExp =>
  new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`)

export const wrongMethod = (method: string, allowed: readonly string[]): Fault =>
  new Fault({
    code: 'METHOD_NOT_ALLOWED',
    actor: 'author',
    message: `this path does not take ${method}`,
    remedy: `use ${allowed.join(' or ')}`,
  })
