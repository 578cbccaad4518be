"""Every exception of this package. Branch on ``code``: it never changes, and it is the same
in every language. Messages may change.

No message, repr or traceback shows a secret, a body or an expected signature.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

__all__ = [
    "ApiError",
    "Code",
    "ConfigError",
    "FileError",
    "Issue",
    "StoreError",
    "VeloraError",
    "VerificationError",
]

Code = Literal[
    # The secret is empty.
    "empty_secret",
    # The secret is text that starts or ends with white space.
    "secret_has_whitespace",
    # No secret was given.
    "no_secret",
    # More secrets than the scheme's header can carry signatures.
    "too_many_secrets",
    # The tolerance is negative, NaN or infinite.
    "invalid_tolerance",
    # The parts of a scheme contradict each other, or one of them cannot be sent in a header.
    "invalid_scheme",
    # No system has a scheme of this name.
    "unknown_scheme",
    # The retention is under 24 hours.
    "invalid_retention",
    # The lease is zero, or not shorter than the retention.
    "invalid_lease",
    # The store has no room for even one key.
    "invalid_capacity",
    # The API key is absent, empty, not visible ASCII, or, for CuraeAI, of neither environment.
    "invalid_api_key",
    # The base URL is not a plain `https` URL, nor an `http` URL of a loopback host.
    "invalid_base_url",
    # The API key belongs to the sandbox and the base URL to production, or the reverse.
    "wrong_environment",
    # The window ends before it starts.
    "invalid_window",
    # An option is out of its range.
    "invalid_option",
    # There is no transport to send requests with.
    "no_transport",
    # What was given as the body is not the raw bytes of the request.
    "body_already_parsed",
    # What was given as the headers is not a set of headers, or cannot be read.
    "unreadable_headers",
    # The body is over the receiver's limit; it was not hashed.
    "body_too_large",
    # The signature header, or the timestamp header of the scheme, is absent.
    "missing_header",
    # One of these headers occurs more than once.
    "duplicate_header",
    # One of these headers is over 8 KiB, or holds more than 16 `v1` values.
    "header_too_large",
    # The signature header is not of the scheme's form.
    "malformed_header",
    # The timestamp is not a plain decimal number.
    "malformed_timestamp",
    # The timestamp is further in the past than the tolerance.
    "timestamp_too_old",
    # The timestamp is further in the future than the tolerance.
    "timestamp_in_future",
    # No secret matches any of the signatures.
    "signature_mismatch",
    # A header outside the MAC contradicts the verified body.
    "header_body_mismatch",
    # The verified body is not the system's JSON.
    "malformed_event",
    # The claim has been taken over, released, already committed, or forgotten after its lease.
    "lease_lost",
    # The store has no room: claims in progress hold every place, or its disk or memory is full.
    "store_full",
    # The store could not be reached, or did not answer in time.
    "store_unavailable",
    # The caller's handler returned an error; the claim was released, or expires.
    "handler_failed",
    # The caller's handler panicked; the claim was released, or expires.
    "handler_panicked",
    # The request body could not be read to its end.
    "body_unreadable",
    # The API key or token is missing, unknown or expired (401).
    "unauthorized",
    # The API key lacks a scope or a role (403).
    "forbidden",
    # What was requested does not exist, or no longer does (404, 410).
    "not_found",
    # The call conflicts with the current state of the resource (409, 412).
    "conflict",
    # The system refused the request (any other 4xx), or it was refused before it was sent.
    "invalid_request",
    # Too many requests (429), or the system asks for a longer wait than the client allows.
    "rate_limited",
    # The system failed (5xx).
    "server_error",
    # The connection failed, or was cut before the end of the body.
    "connection",
    # Connecting, reading or the whole call took too long.
    "timeout",
    # The body of a success is not what the system documents.
    "malformed_response",
    # The decoded body is over the client's limit; the rest was not read.
    "response_too_large",
    # More is announced, but with no new cursor; or over 1,000 pages in a row have no items.
    "cursor_loop",
    # A window could not be proven to have been read completely.
    "incomplete_window",
    # The system answered with a redirect, which is never followed.
    "unexpected_redirect",
    # A file of an export could not be read, written or locked.
    "file_unusable",
    # The file, or the checkpoint or manifest next to it, is not of this export.
    "file_mismatch",
    # A fault of this package itself.
    "internal",
]
"""Every stable code."""

_CODES = frozenset(get_args(Code))


class VeloraError(Exception):
    """The base of every exception of this package. Raises ``ValueError`` if ``code`` is none of
    the codes."""

    code: Code
    """The stable code."""

    def __init__(self, message: str, code: Code) -> None:
        if code not in _CODES:
            raise ValueError("this is no code: pass the message first, and then the code")
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code}: {self.args[0]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.code)


class ConfigError(VeloraError):
    """Misuse: an option, a body or headers that cannot be used."""


class VerificationError(VeloraError):
    """A delivery was refused: it is forged, stale, malformed, or contradicts itself."""


class StoreError(VeloraError):
    """A deduplication store refused or failed: ``lease_lost``, ``store_full``,
    ``store_unavailable``. A store of your own raises it as
    ``StoreError("it was taken over", "lease_lost")``."""


class FileError(VeloraError):
    """A file of an export cannot be used: ``file_unusable``, ``file_mismatch``. Its content was
    not overwritten."""


class Issue(NamedTuple):
    """One field that the system rejected."""

    code: str | None
    """The system's own code, such as ``invalid_type``."""
    path: tuple[str, ...]
    """The path to the field in the request, outermost first."""
    message: str | None
    """What is wrong, for humans. It may repeat the value that was refused."""

    def __repr__(self) -> str:
        return f"Issue(code={self.code!r}, path={self.path!r})"


class ApiError(VeloraError):
    """A call of a system's API failed.

    The system's response is in ``detail``, ``issues`` and ``raw``. Show them with care: an
    error body may repeat what was sent. None of them contains the API key.
    """

    status: int | None
    """The HTTP status; ``None`` if there was no response."""
    request_id: str | None
    """The id to quote to the vendor."""
    attempts: int
    """How often the call tried to send its request; 0 if it never did. To fail to get a token
    counts as a try."""
    retry_after: float | None
    """How long the system asked to wait, in seconds; ``None`` if it did not."""
    is_retryable: bool
    """Whether the same call may succeed later."""
    detail: str | None
    """What the system said went wrong (``error``, ``detail`` or ``message`` of its body)."""
    vendor_code: str | None
    """The system's own code, such as CuraeAI's ``SCOPE_INSUFFICIENT``."""
    issues: tuple[Issue, ...]
    """The fields that the system rejected."""
    raw: str
    """The body of the error response, or of a success that is not the documented one: at most
    its first 8 KiB. Empty for all other failures."""

    def __init__(
        self,
        message: str,
        code: Code,
        status: int | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        is_retryable: bool = False,
        detail: str | None = None,
        vendor_code: str | None = None,
        issues: tuple[Issue, ...] = (),
        raw: str = "",
    ) -> None:
        super().__init__(message, code)
        self.status = status
        self.request_id = request_id
        self.attempts = attempts
        self.retry_after = retry_after
        self.is_retryable = is_retryable
        self.detail = detail
        self.vendor_code = vendor_code
        self.issues = issues
        self.raw = raw

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (
            self.args[0],
            self.code,
            self.status,
            self.request_id,
            self.attempts,
            self.retry_after,
            self.is_retryable,
            self.detail,
            self.vendor_code,
            self.issues,
            self.raw,
        )
