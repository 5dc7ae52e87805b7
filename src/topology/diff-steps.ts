import type { TopologyDifference } from './difference.ts'
import { breaking, compareBy, compatible } from './difference.ts'
import type { StepSnapshot } from './snapshot.ts'

/** Named steps are compared by name; of the others only which verbs come and go is said. */
export const stepDifferences = (
  before: readonly StepSnapshot[],
  after: readonly StepSnapshot[],
): readonly TopologyDifference[] => {
  const identified = (steps: readonly StepSnapshot[]): readonly (StepSnapshot & { id: string })[] => {
    const counts = new Map<string, number>()
    return steps.map((step) => {
      const kind = step.name ?? `${step.verb} of ${step.stores.join(', ') || 'records'}`
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      return { ...step, id: count === 1 ? kind : `${kind} (${count})` }
    })
  }
  const { removed, added, kept } = compareBy(({ id }) => id, identified(before), identified(after))
  return [
    ...removed.map(({ id }) => compatible('STEP_REMOVED', id, `step '${id}' is gone`)),
    ...added.map(({ id }) => compatible('STEP_ADDED', id, `step '${id}' is new`)),
    ...kept.flatMap(([old, now]) => verbDifferences(old, now).concat(lengthDifferences(old, now))),
  ]
}

type Step = StepSnapshot & { readonly id: string }

const verbDifferences = (old: Step, now: Step): readonly TopologyDifference[] => [
  ...(old.verb === now.verb
    ? []
    : [compatible('STEP_CHANGED', now.id, `step '${now.id}' was a ${old.verb} and is a ${now.verb}`)]),
  ...(old.emit === now.emit
    ? []
    : [compatible('EMIT_CHANGED', now.id, `step '${now.id}' emitted ${old.emit} and emits ${now.emit}`)]),
]

/** Grace only decides on records to come; every other length is part of what windows and their keys mean. */
const lengthDifferences = (old: Step, now: Step): readonly TopologyDifference[] =>
  [...new Set([...Object.keys(old.lengths), ...Object.keys(now.lengths)])]
    .filter((name) => old.lengths[name] !== now.lengths[name])
    .map((name) => {
      const change = `${name} of '${now.id}' was ${old.lengths[name] ?? 'not set'} and is ${now.lengths[name] ?? 'not set'}`
      if (!windowLengths.has(name)) return compatible('LENGTH_CHANGED', now.id, change)
      return breaking(
        'WINDOW_CHANGED',
        now.id,
        `${change}: windows already kept have the old bounds`,
        'give the step a new store name, so that its windows start empty, or run millrace reset FILE --execute',
      )
    })

const windowLengths: ReadonlySet<string> = new Set([
  'sizeMs',
  'advanceMs',
  'differenceMs',
  'gapMs',
  'beforeMs',
  'afterMs',
])
