/**
 * What becomes of an application when one of its stream threads fails with an error that nothing else has handled; Kafka Streams'
 * `StreamsUncaughtExceptionHandler` says the same by REPLACE_THREAD, SHUTDOWN_CLIENT and SHUTDOWN_APPLICATION.
 *
 * - `replaceThread`: the stream thread is restarted in the same place and continues from its last commit.
 * - `stopClient`: this application fails, with all its stream threads; others of its group take its tasks over.
 * - `stopApplication`: every member of the group stops, so that no other meets the same error.
 */
export type UncaughtFailureResponse = (typeof uncaughtFailureResponses)[number]

export const uncaughtFailureResponses = ['replaceThread', 'stopClient', 'stopApplication'] as const
