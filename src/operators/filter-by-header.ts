import type { MonoTypeOperatorFunction } from 'rxjs'
import { filter } from 'rxjs'
import { checkArgument } from '../base/options.ts'
import { anyText } from '../base/value-kinds.ts'
import { headerText } from '../topic/headers.ts'
import type { StreamRecord } from '../topic/record.ts'

/**
 * An RxJS operator that keeps the records whose last header of that name has this text, or a text that `accepts` takes:
 * undefined where the header is missing or null. Values are not decoded for it.
 *
 * @example
 * orders.pipe(filterByHeader('tenant', 'ada'), { preservesKey: true }).to(completed)
 */
export const filterByHeader = <K, V>(
  name: string,
  accepts: string | ((text: string | undefined) => boolean),
): MonoTypeOperatorFunction<StreamRecord<K, V>> => {
  checkArgument('filterByHeader: the name', name, anyText)
  checkArgument('filterByHeader', accepts, textOrPredicate)
  const holds = typeof accepts === 'string' ? (text: string | undefined) => text === accepts : accepts
  return filter(({ headers }) => holds(headerText(headers, name)))
}

const textOrPredicate = {
  needs: 'a text or a function',
  accepts: (given: unknown): boolean => typeof given === 'string' || typeof given === 'function',
}
