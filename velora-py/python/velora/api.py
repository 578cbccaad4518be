"""What the clients of all systems have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypedDict, TypeVar

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["ClientOptions", "RateLimit"]


class ClientOptions(TypedDict, total=False):
    """The options of every client. Durations are in seconds."""

    base_url: str
    """The API's URL: ``https``, or ``http`` on a loopback host. Default: the vendor's."""
    proxy: str
    """Sends all requests to an ``https`` base URL through a tunnel of this proxy, ``http://…``
    or ``https://…``. An ``http`` base URL is on a loopback host, and is never proxied. Default:
    none, whatever the environment says."""
    attempts: int
    """How many requests a call may send, including the first. Default: 5."""
    backoff: tuple[float, float]
    """The upper bound of the first wait, which doubles with each further one, and the upper
    bound of all waits. Default: 0.5, 20."""
    max_retry_delay: float
    """The longest ``Retry-After`` that is waited for. If the system asks for more, a call
    that could be repeated fails at once with ``rate_limited`` and the delay in the error. After
    a 429, all calls of the same kind (reads, or writes) wait for its ``Retry-After``, or fail
    too. Default: 60."""
    connect_timeout: float
    """The longest wait for a connection. Default: 10."""
    read_timeout: float
    """The longest wait for the next bytes. Default: 30; for Velora TV 300."""
    call_timeout: float
    """The longest a call may take, including all attempts and waits. For a CSV, which is read
    as it arrives, it ends with the first row. Default: 600; for Velora TV 60."""
    max_response_bytes: int
    """The largest body that is read, in bytes after decoding. In a CSV, which is read as it
    arrives, it limits each row. Default: 64 MiB."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A system's rate limit, according to the last response that mentioned it.

    Velora Health sends only ``Retry-After``. Velora Billing sends the reset as ISO 8601, Velora
    TV as Unix seconds. All are read.
    """

    limit: int | None
    """How many requests are allowed in a rate-limit window."""
    remaining: int | None
    """How many requests are left in this window."""
    reset: datetime | None
    """When the next window starts."""
    retry_at: datetime | None
    """The end of the wait that the last 429 asked for."""


class Native(Protocol):
    """What the core gives a client to stand on."""

    def close(self) -> None: ...
    def base_url(self) -> str: ...
    def rate_limit(self) -> RateLimit: ...


N = TypeVar("N", bound=Native)


class Base(Generic[N]):
    """What every client has."""

    __slots__ = ("_native",)

    def __init__(self, native: N) -> None:
        self._native = native

    @property
    def base_url(self) -> str:
        """The base URL of the API."""
        return self._native.base_url()

    @property
    def rate_limit(self) -> RateLimit:
        """The rate limit, according to the last response that mentioned it."""
        return self._native.rate_limit()

    def __repr__(self) -> str:
        made = hasattr(self, "_native")  # It may be shown because it could not be made.
        shown = repr(self.base_url) if made else ".."
        return f"{type(self).__module__}.{type(self).__name__}({shown})"


class SyncBase(Base[N]):
    """What every synchronous client has."""

    __slots__ = ()

    def close(self) -> None:
        """Closes the connections. A later call opens new ones, and a list that was started
        can be continued."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncBase(Base[N]):
    """What every ``asyncio`` client has."""

    __slots__ = ()

    async def aclose(self) -> None:
        """Closes the connections. A later call opens new ones, and a list that was started
        can be continued."""
        self._native.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
