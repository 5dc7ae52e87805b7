/** Raised where the only answer left is to close the connection. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed'
}
