import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StateStore } from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/store-definition.ts'
import type { Place, Subject } from './subject.ts'
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
  const numRuns = subject.durable ? 15 : 60

  const start = (bytes: number): Run<C, M> => {
    const place = subject.place({ cacheBytes: bytes })
    const changelog = new Changelog()
    return { kind, place, changelog, store: place.open(kind.definition, changelog), model: kind.model() }
  }
  const facts: readonly Fact<C>[] = [
    {
      title: 'answers as the plain model does',
      check: async (given, bytes) => {
        const now = start(bytes)
        for (const step of given) {
          run(now, step)
          if (step.do === 'commit') kind.compare(now.store, now.model, 'commands')
        }
        kind.compare(now.store, now.model, 'commands')
        await now.place.close()
      },
    },
    {
      title: 'is the same after a restore from its changelog',
      check: async (given, bytes) => {
        const now = start(bytes)
        for (const step of given) run(now, step)
        now.store.flush()
        const other = start(bytes)
        now.changelog.restore(other.store)
        expect(other.store.changelogOffset()).toBe(now.changelog.rows.length)
        kind.compare(other.store, now.model, 'restore')
        await now.place.close()
        await other.place.close()
      },
    },
    {
      title:
        'holds, opened again, what was last persisted, and the rest of the changelog brings it up to date',
      durable: true,
      check: async (given, bytes) => {
        const { place, changelog, ...now } = start(bytes)
        let committed = { model: kind.model(), offset: 0 }
        for (const step of given) {
          run({ ...now, place, changelog }, step)
          if (step.do === 'commit') committed = { model: kind.copy(now.model), offset: changelog.rows.length }
        }
        await place.restart()
        const persisted = place.open(kind.definition, changelog)
        expect(persisted.changelogOffset()).toBe(committed.offset)
        kind.compare(persisted, committed.model, 'restore')
        now.store.flush()
        changelog.restore(persisted)
        kind.compare(persisted, now.model, 'restore')
        await place.close()
      },
    },
  ]

  describe(`a ${name} store ${subject.name}`, () => {
    const held = facts.filter(({ durable = false }) => subject.durable || !durable)
    it.each(held)('$title', ({ check }) => fc.assert(fc.asyncProperty(steps, cacheBytes, check), { numRuns }))
  })
}

interface Fact<C> {
  readonly title: string
  /** It holds only where a place remembers. */
  readonly durable?: boolean
  readonly check: (given: readonly Step<C>[], cacheBytes: number) => Promise<void>
}

interface Run<C, M> {
  readonly kind: Kind<C, M>
  readonly place: Place
  readonly changelog: Changelog
  readonly store: StateStore
  readonly model: M
}

const run = <C, M>({ kind, store, model, changelog }: Run<C, M>, step: Step<C>): void => {
  if (step.do === 'put') {
    kind.apply(store, model, step.command)
    return
  }
  store.flush()
  if (step.do === 'commit') store.persist(changelog.rows.length)
}
