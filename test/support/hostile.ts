/** What JavaScript may throw, and what code that reads it does not expect. Each call makes a value of its own. */
const throwing = (): never => {
  throw new Error('a getter throws')
}

const withGetter = (name: string): Error => {
  const error = new Error('hidden')
  Object.defineProperty(error, name, { get: throwing, configurable: true })
  return error
}

const ofClass = (name: string): Error => {
  const Kind = class extends Error {}
  Object.defineProperty(Kind.prototype, name, { get: throwing })
  return new Kind('hidden')
}

const traps = new Proxy({}, { get: () => throwing })

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const itself = (): Error => {
  const error = new Error('cycle')
  error.cause = error
  return error
}

export const hostile: Readonly<Record<string, () => unknown>> = {
  NaN: () => NaN,
  undefined: () => undefined,
  null: () => null,
  'a symbol': () => Symbol('x'),
  'a function': () => () => 1,
  'a bigint': () => 5n,
  'an empty text': () => '',
  'an object without a prototype': () => Object.create(null) as object,
  'an object whose toString throws': () => ({ toString: throwing }),
  'an object whose toString returns an object': () => ({ toString: () => ({}) }),
  'a name that is a number': () => Object.assign(new Error('x'), { name: 5 }),
  'a name that is an object': () => Object.assign(new Error('x'), { name: { code: 5 } }),
  'a message that is a number': () => Object.assign(new Error('x'), { message: 5 }),
  'a message that is an object': () => Object.assign(new Error('x'), { message: { code: 5 } }),
  'a message without a prototype': () =>
    Object.assign(new Error('x'), { message: Object.create(null) as object }),
  'a stack that is a number': () => Object.assign(new Error('x'), { stack: 5 }),
  'no stack': () => Object.assign(new Error('x'), { stack: undefined }),
  'a proxy of an object': () => new Proxy({}, { get: throwing }),
  'a proxy of an error': () => new Proxy(new Error('x'), traps),
  'a proxy that is revoked': revoked,
  'a child of a proxy': () => Object.create(new Proxy(new Error('x'), traps)) as object,
  ...Object.fromEntries(
    ['name', 'message', 'stack', 'cause', 'code', 'errors', 'constructor', 'issues'].flatMap((name) => [
      [`a getter ${name} that throws`, () => withGetter(name)],
      [`a class whose ${name} throws`, () => ofClass(name)],
    ]),
  ),
  'a hostile cause': () => new Error('x', { cause: withGetter('message') }),
  'a proxy as its cause': () => new Error('x', { cause: new Proxy({}, traps) }),
  'a revoked proxy as its cause': () => new Error('x', { cause: revoked() }),
  'itself as its cause': itself,
  'hostile errors': () => new AggregateError([withGetter('message'), revoked(), NaN]),
  'a hostile issue': () => Object.assign(new Error('x'), { name: 'ZodError', issues: [null, revoked(), 5] }),
  'a frozen error': () => Object.freeze(new Error('x')),
}
