import { describe } from 'vitest'
import { describeHelp, mainSuite } from './main.suite.ts'

describe('npm start on the embedded broker', { timeout: 110_000 }, () => {
  mainSuite(() => [])
})

describe('npm start', { timeout: 110_000 }, () => {
  describeHelp()
})
