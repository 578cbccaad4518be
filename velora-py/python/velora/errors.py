"""Every exception of this package. Branch on ``code``: it never changes, and it is the same
in every language. Messages may change.

No message, repr or traceback shows a secret, a body or an expected signature.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

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
    "empty_secret",
    "secret_has_whitespace",
    "no_secret",
    "too_many_secrets",
    "invalid_tolerance",
    "invalid_scheme",
    "unknown_scheme",
    "invalid_retention",
    "invalid_lease",
    "invalid_capacity",
    "invalid_api_key",
    "invalid_base_url",
    "wrong_environment",
    "invalid_window",
    "invalid_option",
    "no_transport",
    "body_already_parsed",
    "unreadable_headers",
    "body_too_large",
    "missing_header",
    "duplicate_header",
    "header_too_large",
    "malformed_header",
    "malformed_timestamp",
    "timestamp_too_old",
    "timestamp_in_future",
    "signature_mismatch",
    "header_body_mismatch",
    "malformed_event",
    "lease_lost",
    "store_full",
    "store_unavailable",
    "handler_failed",
    "handler_panicked",
    "body_unreadable",
    "unauthorized",
    "forbidden",
    "not_found",
    "conflict",
    "invalid_request",
    "rate_limited",
    "server_error",
    "connection",
    "timeout",
    "malformed_response",
    "response_too_large",
    "cursor_loop",
    "incomplete_window",
    "unexpected_redirect",
    "file_unusable",
    "file_mismatch",
]
"""Every stable code. What each means is in the project's README, *Error codes*."""


class VeloraError(Exception):
    """The base of every exception of this package."""

    code: Code
    """The stable code."""

    def __init__(self, message: str, code: Code) -> None:
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code}: {self.args[0]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.code)


class ConfigError(VeloraError):
    """Misuse: a value cannot be used, at construction or as a body or headers."""


class VerificationError(VeloraError):
    """A delivery was refused: it is forged, stale, malformed, or contradicts itself."""


class StoreError(VeloraError):
    """A deduplication store refused or failed: ``lease_lost``, ``store_full``,
    ``store_unavailable``."""


class FileError(VeloraError):
    """A file of an export cannot be used: ``file_unusable``, ``file_mismatch``. Nothing of
    what it held was overwritten."""


class Issue(NamedTuple):
    """One field that the system found fault with."""

    code: str | None
    """The system's own code, such as ``invalid_type``."""
    path: tuple[str, ...]
    """Where in the request, from the outside in."""
    message: str | None
    """What is wrong, for a human. It may repeat the value that was refused."""

    def __repr__(self) -> str:
        return f"Issue(code={self.code!r}, path={self.path!r})"


class ApiError(VeloraError):
    """A call of a system's API failed.

    What the system said is in ``detail``, ``issues`` and ``raw``, to be shown with care, as
    an error body may repeat what was sent. The API key is in none of them.
    """

    status: int | None
    """The HTTP status, where there was an answer."""
    request_id: str | None
    """The id to quote to the vendor."""
    attempts: int
    """How many requests were sent for this call; 0 where none was."""
    retry_after: float | None
    """How long the system asked to wait, in seconds."""
    is_retryable: bool
    """Whether the same call may succeed later."""
    detail: str | None
    """What the system said went wrong (``error``, ``detail`` or ``message`` of its body)."""
    vendor_code: str | None
    """The system's own code, such as CuraeAI's ``SCOPE_INSUFFICIENT``."""
    issues: tuple[Issue, ...]
    """The fields that the system found fault with."""
    raw: str
    """The body of the error answer: at most its first 8 KiB."""

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
