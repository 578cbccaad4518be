/** The stable codes. */

/** The code of an error, the same in every language. */
export type Code =
  /** The secret is empty. */
  | 'empty_secret'
  /** The secret is text that starts or ends with white space. */
  | 'secret_has_whitespace'
  /** No secret was given. */
  | 'no_secret'
  /** More secrets than the scheme's header can carry signatures. */
  | 'too_many_secrets'
  /** The tolerance is negative, NaN or infinite. */
  | 'invalid_tolerance'
  /** The parts of a scheme contradict each other, or one of them cannot be sent in a header. */
  | 'invalid_scheme'
  /** No system has a scheme of this name. */
  | 'unknown_scheme'
  /** The retention is under 24 hours. */
  | 'invalid_retention'
  /** The lease is zero, or not shorter than the retention. */
  | 'invalid_lease'
  /** The store has no room for even one key. */
  | 'invalid_capacity'
  /** The API key is absent, empty, not visible ASCII, or, for CuraeAI, of neither environment. */
  | 'invalid_api_key'
  /** The base URL is not a plain `https` URL, nor an `http` URL of a loopback host. */
  | 'invalid_base_url'
  /** The API key belongs to the sandbox and the base URL to production, or the reverse. */
  | 'wrong_environment'
  /** The window ends before it starts. */
  | 'invalid_window'
  /** An option is out of its range. */
  | 'invalid_option'
  /** There is no transport to send requests with. */
  | 'no_transport'
  /** What was given as the body is not the raw bytes of the request. */
  | 'body_already_parsed'
  /** What was given as the headers is not a set of headers, or cannot be read. */
  | 'unreadable_headers'
  /** The body is over the receiver's limit; it was not hashed. */
  | 'body_too_large'
  /** The signature header, or the timestamp header of the scheme, is absent. */
  | 'missing_header'
  /** One of these headers occurs more than once. */
  | 'duplicate_header'
  /** One of these headers is over 8 KiB, or holds more than 16 `v1` values. */
  | 'header_too_large'
  /** The signature header is not of the scheme's form. */
  | 'malformed_header'
  /** The timestamp is not a plain decimal number. */
  | 'malformed_timestamp'
  /** The timestamp is further in the past than the tolerance. */
  | 'timestamp_too_old'
  /** The timestamp is further in the future than the tolerance. */
  | 'timestamp_in_future'
  /** No secret matches any of the signatures. */
  | 'signature_mismatch'
  /** A header outside the MAC contradicts the verified body. */
  | 'header_body_mismatch'
  /** The verified body is not the system's JSON. */
  | 'malformed_event'
  /** The claim has been taken over, released, already committed, or forgotten after its lease. */
  | 'lease_lost'
  /** The store has no room: claims in progress hold every place, or its disk or memory is full. */
  | 'store_full'
  /** The store could not be reached, or did not answer in time. */
  | 'store_unavailable'
  /** The caller's handler returned an error; the claim was released, or expires. */
  | 'handler_failed'
  /** The caller's handler panicked; the claim was released, or expires. */
  | 'handler_panicked'
  /** The request body could not be read to its end. */
  | 'body_unreadable'
  /** The API key or token is missing, unknown or expired (401). */
  | 'unauthorized'
  /** The API key lacks a scope or a role (403). */
  | 'forbidden'
  /** What was requested does not exist, or no longer does (404, 410). */
  | 'not_found'
  /** The call conflicts with the current state of the resource (409, 412). */
  | 'conflict'
  /** The system refused the request (any other 4xx), or it was refused before it was sent. */
  | 'invalid_request'
  /** Too many requests (429), or the system asks for a longer wait than the client allows. */
  | 'rate_limited'
  /** The system failed (5xx). */
  | 'server_error'
  /** The connection failed, or was cut before the end of the body. */
  | 'connection'
  /** Connecting, reading or the whole call took too long. */
  | 'timeout'
  /** The body of a success is not what the system documents. */
  | 'malformed_response'
  /** The decoded body is over the client's limit; the rest was not read. */
  | 'response_too_large'
  /** More is announced, but with no new cursor; or over 1,000 pages in a row have no items. */
  | 'cursor_loop'
  /** A window could not be proven to have been read completely. */
  | 'incomplete_window'
  /** The system answered with a redirect, which is never followed. */
  | 'unexpected_redirect'
  /** A file of an export could not be read, written or locked. */
  | 'file_unusable'
  /** The file, or the checkpoint or manifest next to it, is not of this export. */
  | 'file_mismatch'
  /** A fault of this package itself. */
  | 'internal';
