import type { ProducerOptions } from '../kafka/producer.ts'
import type { RuntimeSettings } from './runtime-settings.ts'

/** What every producer takes from the settings, in an application and beside one. */
export const producerSettingsOf = (
  settings: Pick<
    RuntimeSettings,
    'compressionType' | 'lingerMs' | 'requestTimeoutMs' | 'deliveryTimeoutMs' | 'maxRequestSize'
  >,
): Required<
  Pick<
    ProducerOptions,
    'compression' | 'lingerMs' | 'requestTimeoutMs' | 'deliveryTimeoutMs' | 'maxRequestBytes'
  >
> => ({
  compression: settings.compressionType,
  lingerMs: settings.lingerMs,
  requestTimeoutMs: settings.requestTimeoutMs,
  deliveryTimeoutMs: settings.deliveryTimeoutMs,
  maxRequestBytes: settings.maxRequestSize,
})
