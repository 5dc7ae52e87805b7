import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StateStore } from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/store-definition.ts'
import type { Subject } from './subject.ts'
import { Changelog } from './subject.ts'

/**
 * One kind of store beside a plain model of it: the same commands go to both, and both must then show the same.
 */
export interface Kind<C, M> {
  readonly definition: StoreDefinition
  readonly commands: fc.Arbitrary<C>
  readonly model: () => M
  readonly copy: (model: M) => M
  /** Applies a command to both, and compares what they return. */
  readonly apply: (store: StateStore, model: M, command: C) => void
  /** Compares everything that can be read. */
  readonly compare: (store: StateStore, model: M, after: 'commands' | 'restore') => void
}

type Step<C> = { readonly do: 'put'; readonly command: C } | { readonly do: 'flush' | 'commit' }

const stepsOf = <C>(commands: fc.Arbitrary<C>): fc.Arbitrary<Step<C>[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: commands.map((command) => ({ do: 'put' as const, command })) },
      { weight: 1, arbitrary: fc.constantFrom({ do: 'flush' as const }, { do: 'commit' as const }) },
    ),
    { maxLength: 60, size: 'max' },
  )

/** The facts that hold for every kind, in whatever order its commands, flushes and commits come. */
export const describeKind = <C, M>(name: string, subject: Subject, kind: Kind<C, M>): void => {
  const steps = stepsOf(kind.commands)
  // A small cache flushes early and forgets often; a large one does neither.
  const cacheBytes = fc.constantFrom(1, 20_000, 16_000_000)
  const numRuns = subject.durable ? 20 : 100

  describe(`a ${name} store ${subject.name}`, () => {
    it('answers as the plain model does', () =>
      fc.assert(
        fc.asyncProperty(steps, cacheBytes, async (given, bytes) => {
          const place = subject.place({ cacheBytes: bytes })
          const changelog = new Changelog()
          const store = place.open(kind.definition, changelog)
          const model = kind.model()
          for (const step of given) {
            run(kind, store, model, changelog, step)
            if (step.do !== 'put') kind.compare(store, model, 'commands')
          }
          kind.compare(store, model, 'commands')
          await place.close()
        }),
        { numRuns },
      ))

    it('is the same after a restore from its changelog', () =>
      fc.assert(
        fc.asyncProperty(steps, cacheBytes, async (given, bytes) => {
          const place = subject.place({ cacheBytes: bytes })
          const changelog = new Changelog()
          const store = place.open(kind.definition, changelog)
          const model = kind.model()
          for (const step of given) run(kind, store, model, changelog, step)
          store.flush()
          const other = subject.place({ cacheBytes: bytes })
          const restored = other.open(kind.definition, new Changelog())
          changelog.restore(restored)
          expect(restored.changelogOffset()).toBe(changelog.rows.length)
          kind.compare(restored, model, 'restore')
          await place.close()
          await other.close()
        }),
        { numRuns },
      ))

    if (subject.durable)
      it('holds, opened again, what was last persisted, and the rest of the changelog brings it up to date', () =>
        fc.assert(
          fc.asyncProperty(steps, cacheBytes, async (given, bytes) => {
            const place = subject.place({ cacheBytes: bytes })
            const changelog = new Changelog()
            const store = place.open(kind.definition, changelog)
            const model = kind.model()
            let committed = { model: kind.model(), offset: 0 }
            for (const step of given) {
              run(kind, store, model, changelog, step)
              if (step.do === 'commit') committed = { model: kind.copy(model), offset: changelog.rows.length }
            }
            await place.restart()
            const persisted = place.open(kind.definition, changelog)
            expect(persisted.changelogOffset()).toBe(committed.offset)
            kind.compare(persisted, committed.model, 'restore')
            store.flush()
            changelog.restore(persisted)
            kind.compare(persisted, model, 'restore')
            await place.close()
          }),
          { numRuns },
        ))
  })
}

const run = <C, M>(
  kind: Kind<C, M>,
  store: StateStore,
  model: M,
  changelog: Changelog,
  step: Step<C>,
): void => {
  if (step.do === 'put') {
    kind.apply(store, model, step.command)
    return
  }
  store.flush()
  if (step.do === 'commit') store.persist(changelog.rows.length)
}
