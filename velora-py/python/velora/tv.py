"""Velora TV: channel events, from webhooks and from the event stream.

Sources: Velora TV, *Webhooks*, *Events API*, *Rate limits*.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent import futures
from dataclasses import dataclass, field
from datetime import datetime
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

from . import _velora, events
from ._awaiting import Awaiting
from ._handlers import is_async, must_run
from ._velora import SigningSecret, Taker
from .api import AsyncBase, SyncBase
from .errors import ApiError
from .events import OtherType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from .api import ClientOptions

__all__ = [
    "AsyncClient",
    "AsyncEventStream",
    "BodyOnlyEvent",
    "Client",
    "Connected",
    "CreatedWebhook",
    "Event",
    "EventStream",
    "EventType",
    "Gap",
    "StreamEvent",
    "StreamItem",
    "StreamOnline",
]


class EventType(events.EventType):
    """What happened. The catalogue is open: any other type comes as an ``OtherType``."""

    STREAM_ONLINE = "stream.online"
    STREAM_OFFLINE = "stream.offline"
    STREAM_UPDATE = "stream.update"
    CHANNEL_FOLLOW = "channel.follow"
    CHANNEL_SUBSCRIBE = "channel.subscribe"
    CHANNEL_UPDATE = "channel.update"
    CHANNEL_SUBSCRIPTION_GIFT = "channel.subscription.gift"
    CHANNEL_SUBSCRIPTION_END = "channel.subscription.end"
    USER_AUTHORIZATION_GRANT = "user.authorization.grant"
    USER_AUTHORIZATION_REVOKE = "user.authorization.revoke"


@dataclass(frozen=True, slots=True, repr=False)
class StreamOnline:
    """The payload of ``stream.online``."""

    stream_id: str
    """The id of the stream."""
    user_id: str
    """The id of the streamer."""
    username: str | None
    """The streamer's name."""
    title: str | None
    """The stream's title."""
    started_at: datetime | None
    """When it started."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""

    def __repr__(self) -> str:
        return f"StreamOnline(stream_id={self.stream_id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Event(events.BaseEvent):
    """An event of the default form."""

    type: EventType | OtherType
    """What happened, such as ``EventType.STREAM_ONLINE``."""
    id: str
    """The same in every retry of the event."""
    timestamp: datetime | None
    """When it happened."""
    data: StreamOnline | Any = field(hash=False)
    """The payload: typed if the vendor documents it, else JSON as received."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member, and ``data`` if it is not as documented."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"Event(type={str(self.type)!r}, id={self.id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class BodyOnlyEvent(events.BaseEvent):
    """An event of the body-only form, which has no id."""

    type: EventType | OtherType
    """What happened, such as ``EventType.STREAM_ONLINE``."""
    timestamp: datetime | None
    """When it happened, if the body has an RFC 3339 timestamp."""
    data: StreamOnline | Any = field(hash=False)
    """The payload: typed if the vendor documents it, else JSON as received."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member, and ``data`` if it is not as documented."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"BodyOnlyEvent(type={str(self.type)!r})"


@dataclass(frozen=True, slots=True, repr=False)
class CreatedWebhook:
    """A webhook that was just registered. The response is not documented: ``id`` and ``secret``
    are taken from its members of these names, if it has them."""

    id: str | None
    """The webhook's id, if the response has one."""
    secret: SigningSecret | None
    """The secret that its deliveries are signed with, if the response has one. Otherwise the
    dashboard shows it."""
    response: Any = field(hash=False)
    """The whole response. It contains the secret as plain text: do not log it."""

    def __repr__(self) -> str:
        return f"CreatedWebhook(id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is connected, and events arrive from now on: at the start, and after each
    gap."""

    authenticated: bool | None
    """Whether the token was accepted."""
    auto_subscribed: bool | None
    """Whether the events of the token's own channel are included automatically."""
    channel_username: str | None
    """The name of that channel."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""


@dataclass(frozen=True, slots=True, repr=False)
class StreamEvent:
    """An event of the stream, known or unknown."""

    type: EventType | OtherType
    """The event's type: its name on the stream, or the ``type`` in the data if it has none."""
    id: str | None
    """The event's id on the stream, from which a new connection resumes."""
    data: str
    """The data as received; as far as known, always JSON."""
    event: Event | None
    """The typed event, if the data has the form of a delivery's body."""
    key: str | None
    """The identity to deduplicate on: equal to the key of the event's delivery."""

    def __repr__(self) -> str:
        return f"StreamEvent(type={str(self.type)!r}, id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Gap:
    """The connection was lost: events may be missing until the next ``Connected``."""

    reason: ApiError
    """Why the connection was lost."""
    since: datetime
    """Nothing before this time is missing."""
    last_event_id: str | None
    """The id from which the next connection asks to resume."""


StreamItem = Connected | StreamEvent | Gap
"""One item of the event stream."""


class EventStream(Taker[StreamItem]):
    """The items of the event stream, one after the other. It never ends without an error.

    Interrupting the wait for an item loses nothing. ``close()``, also from another thread, and
    the end of a ``with`` block end the stream and close the connection.
    """

    __slots__ = ()


class AsyncEventStream(Awaiting[StreamItem]):
    """``EventStream`` for ``async for``. Cancelling the wait for an item loses nothing."""

    __slots__ = ("_enter",)

    def __init__(self, stream: _velora.Stream, enter: Callable[[], None]) -> None:
        super().__init__(Taker(stream, whole=True))
        self._enter = enter

    async def __anext__(self) -> StreamItem:
        self._enter()
        return await super().__anext__()


class Client(SyncBase[_velora.Tv]):
    """The client of Velora TV.

    ``token`` is an access token, which is valid for an hour, or a function that returns a valid
    one. The function is called before each request, and before a stream reconnects, so let it
    cache the token for as long as it is valid. If it raises, the type of the exception goes to
    the logger ``velora``; the attempt fails with ``connection``, and is retried as any failed
    request. If it returns no token, the call is ``unauthorized``.

    Raises ``invalid_api_key`` for a ``str`` that cannot be a token, ``invalid_base_url``;
    ``invalid_option`` if an option is out of its range; ``TypeError`` for a coroutine function,
    which ``AsyncClient`` takes.
    """

    __slots__ = ()

    def __init__(
        self, token: str | Callable[[], str], **options: Unpack[ClientOptions]
    ) -> None:
        try:
            if callable(token):
                must_run(token)
                if is_async(token):
                    raise TypeError("a `Client` does not await its token: use `AsyncClient`")
            super().__init__(_velora.Tv(token, **options))
        finally:
            del token, options  # A traceback may show what its frames hold.

    def create_webhook(self, client_id: str, url: str, events: Sequence[str]) -> CreatedWebhook:
        """Registers a webhook of an app. The call is never retried. Raises ``not_found`` if
        there is no such app; ``invalid_request``."""
        return cast(
            "CreatedWebhook", self._native.create_webhook(client_id, url, events).wait()
        )

    def events(
        self, *, idle_timeout: float | None = None, max_outage: float | None = None
    ) -> EventStream:
        """Streams events as they happen, and reconnects as often as needed.

        A connection that is lost, or silent for ``idle_timeout`` seconds (90), is reported as a
        ``Gap``. Reconnecting waits longer with each failure, and asks for a new token. The
        stream raises an error that another attempt would not fix, or the latest error after
        ``max_outage`` seconds without a connection (by default it never gives up).
        """
        stream = self._native.events(idle_timeout=idle_timeout, max_outage=max_outage)
        return EventStream(stream, whole=True)


class AsyncClient(AsyncBase[_velora.Tv]):
    """``Client`` for ``asyncio``: the same calls, awaited. The function that returns tokens may
    be a coroutine function; it runs in the event loop of the latest call, or of the latest wait
    for an item of a stream."""

    __slots__ = ("_tokens",)

    def __init__(
        self,
        token: str | Callable[[], str | Awaitable[str]],
        **options: Unpack[ClientOptions],
    ) -> None:
        try:
            if callable(token):
                must_run(token)
            self._tokens = _InLoop(token) if callable(token) else None
            super().__init__(_velora.Tv(self._tokens or cast("str", token), **options))
        finally:
            del token, options  # A traceback may show what its frames hold.

    async def create_webhook(
        self, client_id: str, url: str, events: Sequence[str]
    ) -> CreatedWebhook:
        """See ``Client.create_webhook``."""
        self._enter()
        return cast(
            "CreatedWebhook",
            await self._native.create_webhook(client_id, url, events).future(),
        )

    def events(
        self, *, idle_timeout: float | None = None, max_outage: float | None = None
    ) -> AsyncEventStream:
        """See ``Client.events``."""
        stream = self._native.events(idle_timeout=idle_timeout, max_outage=max_outage)
        return AsyncEventStream(stream, self._enter)

    def _enter(self) -> None:
        if self._tokens is not None:
            self._tokens.loop = asyncio.get_running_loop()


_PATIENCE = 30.0


def _must_go_on() -> None:
    """Raises if the program is exiting, when no thread may wait here any more."""
    if not threading.main_thread().is_alive():
        raise RuntimeError("the program is exiting")


class _InLoop:
    """Calls the token function in an event loop, for a thread that waits for the token."""

    __slots__ = ("loop", "tokens")

    def __init__(self, tokens: Callable[[], str | Awaitable[str]]) -> None:
        self.tokens = tokens
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self) -> str:
        while True:
            loop = self._running()
            asked = self._asked_in(loop)
            try:
                while loop.is_running() or self._running() is loop:
                    if futures.wait([asked], timeout=1).done:
                        return asked.result()
                    _must_go_on()
            finally:
                if not loop.is_closed():
                    asked.cancel()

    def _asked_in(self, loop: asyncio.AbstractEventLoop) -> futures.Future[str]:
        asking = self._ask()
        try:
            return asyncio.run_coroutine_threadsafe(asking, loop)
        except BaseException:
            asking.close()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        """The event loop of the latest call. A loop may run with pauses in between, so this
        waits for it, but not for ever: the loop may have been stopped for good."""
        give_up_at = time.monotonic() + _PATIENCE
        while (loop := self.loop) is None or not loop.is_running():
            if time.monotonic() > give_up_at:
                raise RuntimeError("no event loop is running")
            _must_go_on()
            time.sleep(0.05)
        return loop

    async def _ask(self) -> str:
        token = self.tokens()
        return await token if isawaitable(token) else token
