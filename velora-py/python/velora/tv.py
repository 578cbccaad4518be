"""Velora TV: channel events, delivered and streamed.

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
    """The stream."""
    user_id: str
    """Its streamer."""
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
    """The payload: typed where the vendor shows it, else JSON as it came."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""
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
    """When it happened, where the body has it in RFC 3339."""
    data: StreamOnline | Any = field(hash=False)
    """The payload: typed where the vendor shows it, else JSON as it came."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"BodyOnlyEvent(type={str(self.type)!r})"


@dataclass(frozen=True, slots=True, repr=False)
class CreatedWebhook:
    """What registering a webhook gave. The answer is not documented: ``id`` and ``secret`` are
    taken from it where it has members of that name."""

    id: str | None
    """The webhook's id, where the answer has one."""
    secret: SigningSecret | None
    """What its deliveries are signed with, where the answer has it. Otherwise the dashboard
    shows it."""
    response: Any = field(hash=False)
    """The whole answer. It holds the secret as plain text: do not log it."""

    def __repr__(self) -> str:
        return f"CreatedWebhook(id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Connected:
    """The system's first word on each connection: events come from now on."""

    authenticated: bool | None
    """Whether the token was taken."""
    auto_subscribed: bool | None
    """Whether the events of the token's own channel come without being asked for."""
    channel_username: str | None
    """The name of that channel."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""


@dataclass(frozen=True, slots=True, repr=False)
class StreamEvent:
    """Something happened: an event as the stream has it, unknown ones too."""

    type: EventType | OtherType
    """What happened: the name on the stream, or the ``type`` within where it has none."""
    id: str | None
    """The stream's id of this place: what a new connection resumes from."""
    data: str
    """The data as received: JSON, for all that is known."""
    event: Event | None
    """The typed event, where the data is an envelope as deliveries have it."""
    key: str | None
    """The identity to deduplicate on: the same as of the event's delivery."""

    def __repr__(self) -> str:
        return f"StreamEvent(type={str(self.type)!r}, id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Gap:
    """The connection was lost: events may be missing until the next ``Connected``."""

    reason: ApiError
    """Why it began."""
    since: datetime
    """Up to then nothing is missing."""
    last_event_id: str | None
    """The id that the next connection asks to resume from."""


StreamItem = Connected | StreamEvent | Gap
"""One thing that the stream has to tell."""


class EventStream(Taker[StreamItem]):
    """What the system has to tell, one item after the other. It never ends by itself.

    A wait that is interrupted loses nothing. ``close()``, also from another thread, or the end
    of a ``with`` block ends it, and the connection.
    """

    __slots__ = ()


class AsyncEventStream(Awaiting[StreamItem]):
    """``EventStream`` for ``async for``. A wait that is cancelled loses nothing."""

    __slots__ = ("_enter",)

    def __init__(self, stream: _velora.Stream, enter: Callable[[], None]) -> None:
        super().__init__(Taker(stream, whole=True))
        self._enter = enter

    async def __anext__(self) -> StreamItem:
        self._enter()
        return await super().__anext__()


class Client(SyncBase[_velora.Tv]):
    """The client of Velora TV.

    ``token`` is an access token, good for an hour, or a function that gives one that is good
    now: it is asked before each request, and before a stream is connected again. Keep a token
    for as long as it lasts. When it raises, the logger ``velora`` has the exception's type, and
    it counts as ``connection``: it is asked again wherever a request would be sent again. That
    it gives none is ``unauthorized``.

    Raises ``invalid_api_key`` for a text that is no token, ``invalid_base_url``;
    ``invalid_option`` where an option is out of its range.
    """

    __slots__ = ()

    def __init__(
        self, token: str | Callable[[], str], **options: Unpack[ClientOptions]
    ) -> None:
        try:
            super().__init__(_velora.Tv(token, **options))
        finally:
            del token, options  # A traceback may show what its frames hold.

    def create_webhook(self, client_id: str, url: str, events: Sequence[str]) -> CreatedWebhook:
        """Registers a webhook of an app. It is sent once, never again by itself. Raises
        ``not_found`` where there is no such app; ``invalid_request``."""
        return cast(
            "CreatedWebhook", self._native.create_webhook(client_id, url, events).wait()
        )

    def events(
        self, *, idle_timeout: float | None = None, max_outage: float | None = None
    ) -> EventStream:
        """Events as they happen.

        A connection that is lost, or silent for ``idle_timeout`` seconds (90), is a ``Gap``,
        and is made again with a growing wait and a token that is asked for anew. Raises what no
        further attempt would mend; with ``max_outage``, whatever keeps it away for so long.
        """
        stream = self._native.events(idle_timeout=idle_timeout, max_outage=max_outage)
        return EventStream(stream, whole=True)


class AsyncClient(AsyncBase[_velora.Tv]):
    """``Client`` for ``asyncio``: the same calls, awaited. A function that gives tokens may be
    a coroutine function; it runs in the event loop of the latest call, or of the latest wait
    for what a stream has to tell."""

    __slots__ = ("_tokens",)

    def __init__(
        self,
        token: str | Callable[[], str | Awaitable[str]],
        **options: Unpack[ClientOptions],
    ) -> None:
        try:
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
    """No thread may wait here when the program ends."""
    if not threading.main_thread().is_alive():
        raise RuntimeError("the program is exiting")


class _InLoop:
    """Asks a function for a token in an event loop, for a thread that waits."""

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
        """The loop of the latest call. Loops may run in pieces, so that a pause is waited for;
        but one that was stopped for good must not keep this thread."""
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
