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
  /** The parts of a scheme contradict each other, or one cannot stand in a header. */
  | 'invalid_scheme'
  /** No system has a scheme of this name. */
  | 'unknown_scheme'
  /** The retention is under 24 hours. */
  | 'invalid_retention'
  /** The lease is zero, or not shorter than the retention. */
  | 'invalid_lease'
  /** The store has no room for even one key. */
  | 'invalid_capacity'
  /** The API key is absent, empty, or holds white space or control characters. */
  | 'invalid_api_key'
  /** The base URL is not `https`, nor `http` of this very machine, or not a plain URL. */
  | 'invalid_base_url'
  /** The API key is of the sandbox and the base URL of production, or the reverse. */
  | 'wrong_environment'
  /** The window ends before it starts. */
  | 'invalid_window'
  /** An option is out of its range. */
  | 'invalid_option'
  /** There is nothing to send requests with. */
  | 'no_transport'
  /** What was given as the body is not the raw bytes of the request. */
  | 'body_already_parsed'
  /** What was given as the headers are none, or not readable. */
  | 'unreadable_headers'
  /** The body is over the receiver's limit; it was not hashed. */
  | 'body_too_large'
  /** The signature header, or the timestamp header of the scheme, is absent. */
  | 'missing_header'
  /** One of them stands more than once. */
  | 'duplicate_header'
  /** One of them is over 8 KiB, or holds more than 16 `v1` values. */
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
  /** The claim has been taken over, released or already committed. */
  | 'lease_lost'
  /** The store has no room: claims in progress hold every place, or its disk or memory is full. */
  | 'store_full'
  /** The store could not be reached, or did not answer in time. */
  | 'store_unavailable'
  /** The caller's handler returned an error; the claim was released. */
  | 'handler_failed'
  /** The caller's handler panicked; the claim was released. */
  | 'handler_panicked'
  /** The request body could not be read to its end. */
  | 'body_unreadable'
  /** The API key is missing or unknown to the system (401). */
  | 'unauthorized'
  /** The API key lacks a scope or a role (403). */
  | 'forbidden'
  /** It is not there, or is gone (404, 410). */
  | 'not_found'
  /** The call contradicts the state of things (409, 412). */
  | 'conflict'
  /** The system refused the request (any other 4xx), or it was refused before it was sent. */
  | 'invalid_request'
  /** Too many requests (429), and waiting did not help or would take too long. */
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
  /** A page says there is more, without a cursor or with one seen before. */
  | 'cursor_loop'
  /** A window could not be proven to have been read whole. */
  | 'incomplete_window'
  /** The system answered with a redirect, which is never followed. */
  | 'unexpected_redirect'
  /** A file of an export could not be read, written or locked. */
  | 'file_unusable'
  /** The file beside which the export would run belongs to something else. */
  | 'file_mismatch'
  /** A fault of this package itself. */
  | 'internal';
