import { messageOf } from '../base/fault.ts'
import { usage } from './usage.ts'

/** Refuses a `--topic` that Kafka would refuse. The rule is loaded with zod, so only where a command needs it. */
export const checkTopicOption = async (topic: string): Promise<void> => {
  const { checkTopicName } = await import('../topic/topic.ts')
  try {
    checkTopicName(topic)
  } catch (error) {
    throw usage(messageOf(error))
  }
}
