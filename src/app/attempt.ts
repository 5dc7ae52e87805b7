/**
 * Calls a function of the author's that is only notified. What it throws, or a promise it returns rejects with, goes to
 * `onFailure` and stops nothing.
 */
export const attempt = (call: () => unknown, onFailure: (error: unknown) => void): void => {
  try {
    const result = call()
    if (result instanceof Promise) result.catch(onFailure)
  } catch (error) {
    onFailure(error)
  }
}
