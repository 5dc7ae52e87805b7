import { isFault } from '../../base/fault.ts'
import type { Route } from './route.ts'
import { noParameters, ok, route } from './route.ts'

/** The routes for health checks. */
export const healthRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/health/live',
    operationId: 'isLive',
    summary: 'Whether the process is worth keeping: it has neither failed nor closed.',
    parameters: noParameters,
    responses: {
      200: { description: 'It lives.', schema: 'Liveness' },
      503: { description: 'It has failed or is closed: start it again.', schema: 'Liveness' },
    },
    handle: (_request, { host: { state, failure } }) => {
      if (state !== 'failed' && state !== 'closed') return ok({ state })
      return { status: 503, body: isFault(failure) ? { state, failure: failure.code } : { state } }
    },
  }),
  route({
    method: 'GET',
    path: '/health/ready',
    operationId: 'isReady',
    summary: 'Whether it runs and all its tasks have their state.',
    parameters: noParameters,
    responses: {
      200: { description: 'It is ready.', schema: 'Readiness' },
      503: { description: 'It starts, rebalances, restores, is paused or closes.', schema: 'Readiness' },
    },
    handle: (_request, { host: { health } }) => {
      const { state, connected, tasks, standbyTasks, restoring } = health
      const ready = state === 'running' && restoring.length === 0
      return { status: ready ? 200 : 503, body: { state, ready, connected, tasks, standbyTasks, restoring } }
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    operationId: 'readMetrics',
    summary: 'What has been counted since the start, as JSON.',
    parameters: noParameters,
    responses: { 200: { description: 'The counts.', schema: 'Metrics' } },
    handle: (_request, { host: { metrics } }) => ok(metrics),
  }),
]
