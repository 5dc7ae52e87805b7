/** A value as a message shows it: short, on one line, and with what kind of value it is. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return `the text '${value}'`
  if (value instanceof Date) return `the Date ${String(value)}`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return shownObject(value)
  return Object.is(value, -0) ? '0' : String(value)
}

const shownObject = (value: object): string => {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } }
  if (typeof constructor === 'function' && constructor !== Object && constructor.name !== '')
    return /^[AEIO]/.test(constructor.name) ? `an ${constructor.name}` : `a ${constructor.name}`
  return `an object (${Object.keys(value).join(', ')})`
}
