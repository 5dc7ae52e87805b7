import { Fault } from '../base/fault.ts'
import type { SourceTopic } from '../topology/node-topic.ts'
import type { Exchange, Step } from './step.ts'

/**
 * What can be known to be wrong with a saga before it ever runs. Each fault names the step, so that a missing
 * compensation is found where the saga is written, and not in the night when a charge fails.
 */
export const faultsOf = (startedBy: SourceTopic, steps: readonly Step[]): readonly Fault[] => [
  ...(steps.length === 0
    ? [fault('SAGA_EMPTY', undefined, 'it has no steps', 'give it at least one step')]
    : []),
  ...steps.flatMap(stepFaults),
  ...orderFaults(steps),
  ...topicFaults(startedBy, steps),
]

const stepFaults = (step: Step): readonly Fault[] => {
  const faults: Fault[] = []
  const { name, kind, command, undo } = step
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))
    faults.push(
      fault(
        'STEP_NAME_INVALID',
        name,
        `step '${name}' has a name that cannot be stored`,
        'begin with a letter, then letters, digits, - and _: the name is part of idempotency keys and of the state',
      ),
    )
  if (kind === 'compensable' && undo === undefined)
    faults.push(
      fault(
        'COMPENSATION_MISSING',
        name,
        `step '${name}' has no undo: where a later step fails, its effect would stay`,
        "give it an `undo`, or make it a 'pivot' or 'retriable' step",
      ),
    )
  if (kind !== 'compensable' && undo !== undefined)
    faults.push(
      fault(
        'UNDO_UNREACHABLE',
        name,
        `step '${name}' is ${kind}, so its undo would never run`,
        "leave `undo` out, or make the step 'compensable'",
      ),
    )
  return [
    ...faults,
    ...exchangeFaults(name, 'command', command),
    ...(undo === undefined ? [] : exchangeFaults(name, 'undo', undo)),
  ]
}

const exchangeFaults = (step: string, what: 'command' | 'undo', exchange: Exchange): readonly Fault[] => {
  const faults: Fault[] = []
  const { timeoutMs, attempts, backoffMs, replies } = exchange
  if (timeoutMs === undefined || !(timeoutMs > 0))
    faults.push(
      fault(
        'TIMEOUT_MISSING',
        step,
        `the ${what} of step '${step}' has no timeout: where its reply is lost, the saga would wait forever`,
        'give the step or the whole saga a `timeout`',
      ),
    )
  else if (!Number.isSafeInteger(timeoutMs))
    faults.push(
      fault(
        'TIMEOUT_INVALID',
        step,
        `the ${what} of step '${step}' has a timeout of ${timeoutMs} ms`,
        'give whole milliseconds, as seconds(30)',
      ),
    )
  if (!Number.isSafeInteger(attempts) || attempts < 1 || !Number.isSafeInteger(backoffMs) || backoffMs < 0)
    faults.push(
      fault(
        'RETRY_INVALID',
        step,
        `the ${what} of step '${step}' is tried ${attempts} times with pauses of ${backoffMs} ms`,
        'give at least one attempt, and a pause of whole milliseconds that is not negative',
      ),
    )
  if (Object.keys(replies).length === 0)
    faults.push(
      fault(
        'REPLY_MISSING',
        step,
        `the ${what} of step '${step}' has no replies: the saga would never learn what became of it`,
        'name the topics its replies come on',
      ),
    )
  return faults
}

/** Compensable steps come first, then at most one pivot, then retriable ones. */
const orderFaults = (steps: readonly Step[]): readonly Fault[] => {
  const last = steps.findIndex(({ kind }) => kind !== 'compensable')
  const turn = steps[last]
  if (turn === undefined) return []
  return steps
    .slice(last + 1)
    .filter(({ kind }) => kind !== 'retriable')
    .map(({ name, kind }) =>
      fault(
        'STEP_AFTER_PIVOT',
        name,
        `step '${name}' is ${kind}, but comes after the ${turn.kind} step '${turn.name}', which is never undone`,
        `make it 'retriable', or move it before '${turn.name}'`,
      ),
    )
}

/** A reply must say by its topic which command it answers, and no command may read itself. */
const topicFaults = (startedBy: SourceTopic, steps: readonly Step[]): readonly Fault[] => {
  const taken = new Map([[startedBy.name, 'the start of the saga']])
  const faults: Fault[] = []
  for (const { name, command, undo } of steps)
    for (const [what, exchange] of [
      ['command', command],
      ['undo', undo],
    ] as const)
      for (const [reply, { topic }] of Object.entries(exchange?.replies ?? {})) {
        const place = `reply '${reply}' to the ${what} of step '${name}'`
        const other = topic.name === exchange?.topic.name ? `the ${what} itself` : taken.get(topic.name)
        if (other !== undefined)
          faults.push(
            fault(
              'REPLY_AMBIGUOUS',
              name,
              `${place} comes on topic '${topic.name}', which is ${other} already`,
              'give every command reply topics of its own; use `classifies` for several replies on one topic',
            ),
          )
        taken.set(topic.name, place)
      }
  return faults
}

const fault = (code: string, step: string | undefined, message: string, remedy: string): Fault =>
  new Fault({ code, actor: 'author', message, remedy, place: { node: step } })
