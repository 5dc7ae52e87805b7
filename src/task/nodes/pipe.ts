import { Observable, Subject } from 'rxjs'
import type { OperatorFunction, Subscription } from 'rxjs'
import { Fault } from '../../base/fault.ts'
import { StreamRecord } from '../../topic/record.ts'
import type { AnyRecord, EmittedRecord } from '../../topology/node.ts'
import type { Interpreter } from './interpreter.ts'
import { onlyInput } from './interpreter.ts'

/**
 * Any synchronous RxJS operators. A throw inside one ends the pipeline by RxJS's rules: it is noted as the record's
 * failure and the pipeline is built anew, so that the next record finds it whole. What is emitted while no record is
 * being processed comes from a timer or a promise, and is refused: its offsets may be committed already.
 */
export const interpretPipe: Interpreter<'pipe'> = (node, inputs, context) =>
  new Observable<AnyRecord>((subscriber) => {
    let cause: AnyRecord | undefined
    let entry = new Subject<AnyRecord>()
    let pipeline: Subscription

    const emit = (emission: EmittedRecord): void => {
      if (cause === undefined) throw emissionOutsideTurn(node.name)
      subscriber.next(emission instanceof StreamRecord ? emission : recordOf(emission, cause))
    }
    const build = (): void => {
      entry = new Subject<AnyRecord>()
      const chain = node.operators as unknown as readonly OperatorFunction<unknown, unknown>[]
      const output = chain.reduce<Observable<unknown>>((source, operator) => source.pipe(operator), entry)
      pipeline = (output as Observable<EmittedRecord>).subscribe({
        next: emit,
        error: (error: unknown) => {
          context.fail(node.name, error)
          build()
        },
      })
    }
    build()
    const input = onlyInput(inputs).subscribe((record) => {
      if (context.failure !== undefined) return
      cause = record
      entry.next(record)
      cause = undefined
    })
    return () => {
      input.unsubscribe()
      pipeline.unsubscribe()
    }
  })

const recordOf = ({ key, value, timestamp, headers }: EmittedRecord, cause: AnyRecord): AnyRecord =>
  StreamRecord.of(key, value, timestamp ?? cause.timestamp, headers ?? cause.headers, cause.origin)

const emissionOutsideTurn = (node: string): Fault =>
  new Fault({
    code: 'EMISSION_OUTSIDE_TURN',
    actor: 'author',
    message: 'a piped operator emitted while no record was being processed (a timer or a promise)',
    remedy: 'use mapAsync for asynchronous work, or a punctuator for timers',
    place: { node },
  })
