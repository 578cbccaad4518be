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
    """The options of every client. Times are in seconds; the defaults are the core's."""

    base_url: str
    """Where the API is: ``https``, or ``http`` on a loopback host. Default: the vendor's."""
    proxy: str
    """Sends everything to an ``https`` base URL through this proxy, ``http://…`` or
    ``https://…``, in a tunnel. To an ``http`` one, which is the loopback host's, none is used.
    Without it there is none, whatever the environment says."""
    attempts: int
    """How many requests a call may cost, the first included. Default: 5."""
    backoff: tuple[float, float]
    """The upper end of the first wait, which doubles, and of every wait. Default: 0.5, 20."""
    max_retry_delay: float
    """The longest ``Retry-After`` that is waited for. Past it the call fails at once with
    ``rate_limited`` and the delay in the error. That of a 429 all calls of the client wait for
    that read, or that write, as the one it answered does. Default: 60."""
    connect_timeout: float
    """The longest wait for a connection. Default: 10."""
    read_timeout: float
    """The longest wait for the next bytes. Default: 30; of Velora TV 300."""
    call_timeout: float
    """The longest a call may take, all attempts and waits included. Default: 600; of Velora
    TV 60."""
    max_response_bytes: int
    """The largest body that is read, after decoding. Default: 64 MiB."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The rate limit as the last answer that spoke of it left it.

    Velora Health says nothing but ``Retry-After``; Velora Billing gives the reset as ISO-8601,
    Velora TV as Unix seconds. All are read.
    """

    limit: int | None
    """Requests allowed in a window."""
    remaining: int | None
    """Requests left in this window."""
    reset: datetime | None
    """When the window starts anew."""
    retry_at: datetime | None
    """Until when the last 429 asked to wait."""


class Native(Protocol):
    """What the core gives a client to stand on."""

    def close(self) -> None: ...
    def base_url(self) -> str: ...
    def rate_limit(self) -> RateLimit: ...


N = TypeVar("N", bound=Native)


class Base(Generic[N]):
    """What a client of either kind has."""

    __slots__ = ("_native",)

    def __init__(self, native: N) -> None:
        self._native = native

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return self._native.base_url()

    @property
    def rate_limit(self) -> RateLimit:
        """The rate limit as the last answer that spoke of it left it."""
        return self._native.rate_limit()

    def __repr__(self) -> str:
        made = hasattr(self, "_native")  # It may be shown because it could not be made.
        shown = repr(self.base_url) if made else ".."
        return f"{type(self).__module__}.{type(self).__name__}({shown})"


class SyncBase(Base[N]):
    """What a client has whose calls wait."""

    __slots__ = ()

    def close(self) -> None:
        """Closes the connections. A later call opens new ones, and a list that was begun
        goes on."""
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
    """What a client has whose calls are awaited."""

    __slots__ = ()

    async def aclose(self) -> None:
        """Closes the connections. A later call opens new ones, and a list that was begun
        goes on."""
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
