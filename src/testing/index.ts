/** The door `millrace/testing`: run topologies in memory. */
export { testDriver, TestDriver } from './test-driver.ts'
export type { PipeOptions, TestDriverOptions, TestInput, TestOutput, TestRecord } from './test-driver.ts'
export { ManualClock } from '../base/manual-clock.ts'
