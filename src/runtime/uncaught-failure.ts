/**
 * What becomes of an application when one of its workers meets an error that nothing else has dealt with; Kafka Streams'
 * `StreamsUncaughtExceptionHandler` says the same by REPLACE_THREAD, SHUTDOWN_CLIENT and SHUTDOWN_APPLICATION.
 *
 * - `replaceWorker`: the worker is started anew, in the same place, and goes on at its last commit.
 * - `stopClient`: this application fails, with all its workers here; others of its group take its tasks over.
 * - `stopApplication`: every member of the group is told to stop, so that no other meets the same error.
 */
export type UncaughtFailureResponse = (typeof uncaughtFailureResponses)[number]

export const uncaughtFailureResponses = ['replaceWorker', 'stopClient', 'stopApplication'] as const
