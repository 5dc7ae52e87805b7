/** How a store treats the values that are put. */
export interface ValueOptions {
  /** Callbacks cannot change the objects that the store holds: the setting `freezeState`. */
  readonly frozen?: boolean | undefined
  /** The largest record that the producer sends: `maxRequestSize`. */
  readonly maxRequestSize?: number | undefined
}
