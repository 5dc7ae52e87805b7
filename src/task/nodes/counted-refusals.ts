import type { StateStore } from '../../state/store.ts'

type Method = (...given: unknown[]) => unknown

/**
 * A store as a processor sees it: what it refuses, because it is older than its history or retention, is counted as
 * dropped. Versioned stores return `refused`, window and session stores false. Each method is made once, when first asked for.
 */
export const countedRefusals = <S extends StateStore>(store: S, refused: () => void): S => {
  const methods = new Map<PropertyKey, Method>()
  return new Proxy(store, {
    get: (target, name) => {
      const known = methods.get(name)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const method: Method = (...given) => {
        const result = (Reflect.get(target, name, target) as Method).apply(target, given)
        if (name === 'put' && (result === 'refused' || result === false)) refused()
        return result
      }
      methods.set(name, method)
      return method
    },
  })
}
