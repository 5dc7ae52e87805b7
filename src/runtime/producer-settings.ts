import type { ProducerOptions } from '../kafka/producer.ts'

type ProducerSettings = Required<
  Pick<
    ProducerOptions,
    'compressionType' | 'lingerMs' | 'requestTimeoutMs' | 'deliveryTimeoutMs' | 'maxRequestSize'
  >
>

/** What every producer takes from the settings, in an application and beside one. */
export const producerSettingsOf = ({
  compressionType,
  lingerMs,
  requestTimeoutMs,
  deliveryTimeoutMs,
  maxRequestSize,
}: ProducerSettings): ProducerSettings => ({
  compressionType,
  lingerMs,
  requestTimeoutMs,
  deliveryTimeoutMs,
  maxRequestSize,
})
