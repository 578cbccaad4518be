"""Velora Health: PHI audit events, delivered, listed and exported.

Sources: Velora Health, *Webhooks*, *Audit events*, *Code samples*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _velora, events
from ._velora import AuditEvent, Manifest, SigningSecret
from .api import AsyncBase, SyncBase
from .events import OtherType
from .paging import AsyncItems, Items, in_loop

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from typing_extensions import Unpack

    from .api import ClientOptions

__all__ = [
    "Actor",
    "AsyncClient",
    "AsyncWebhooks",
    "AuditEvent",
    "Client",
    "Endpoint",
    "Event",
    "EventType",
    "ExportedOnce",
    "LeafProof",
    "Manifest",
    "Progress",
    "Registration",
    "Resource",
    "Webhooks",
]


class EventType(events.EventType):
    """What happened. The catalogue is open: any other type comes as an ``OtherType``."""

    PHI_READ = "phi.read"
    PHI_QUERY = "phi.query"
    PHI_EXPORT = "phi.export"
    PHI_DECRYPT = "phi.decrypt"


@dataclass(frozen=True, slots=True, repr=False)
class Actor:
    """Who caused an event."""

    user_id: str | None
    """The user's id."""
    user_role: str | None
    """The user's role, such as ``data_analyst``."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""

    def __repr__(self) -> str:
        return "Actor(..)"


@dataclass(frozen=True, slots=True, repr=False)
class Resource:
    """What an event concerns."""

    type: str | None
    """Its kind, such as ``claim``."""
    id: str | None
    """Its id."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""

    def __repr__(self) -> str:
        return "Resource(..)"


@dataclass(frozen=True, slots=True, repr=False)
class Event(events.BaseEvent):
    """An audit event as a webhook delivers it.

    ``id`` and ``type`` are always there; any other member may be absent or null, and one of an
    undocumented type stays in ``extra``.
    """

    type: EventType | OtherType
    """What happened, such as ``EventType.PHI_READ``."""
    id: str
    """The same in every retry of the event."""
    timestamp: datetime | None
    """When it happened."""
    tenant_id: str | None
    """The tenant it belongs to."""
    actor: Actor | None
    """Who did it."""
    resource: Resource | None
    """To what it was done."""
    phi_involved: bool | None
    """Whether protected health information was involved."""
    success: bool | None
    """Whether the action succeeded."""
    details: Any = field(hash=False)
    """Free-form details: a dict in deliveries."""
    schema_version: str | None
    """The version of the envelope; a text, raised on removal or rename only."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"Event(type={str(self.type)!r}, id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered endpoint. All but its id may be absent from an answer."""

    id: str
    """Its id, such as ``wh_8b2e5c11``."""
    url: str | None
    """Where deliveries go."""
    event_filter: tuple[str, ...]
    """The prefixes of the types it receives; none means every event."""
    description: str | None
    """A name for humans."""
    active: bool | None
    """Whether deliveries are sent. There is no way back: register it again."""
    consecutive_failures: int
    """Failed deliveries in a row; at 10 the system disables the endpoint."""
    last_delivery_at: datetime | None
    """When a delivery was last sent."""
    created_at: datetime | None
    """When it was registered."""
    is_failing: bool
    """Whether it has more than 3 consecutive failures: mend it before the tenth."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What registering gives: the endpoint, and its secret, which is never shown again."""

    endpoint: Endpoint
    """The endpoint."""
    secret: SigningSecret
    """What its deliveries are signed with, ready for a ``Verifier``. Store it at once:
    ``secret.expose_secret()``."""


@dataclass(frozen=True, slots=True)
class ExportedOnce:
    """What one call of the export gave."""

    events: tuple[AuditEvent, ...]
    """The rows, in the system's order."""
    truncation: Literal["yes", "no", "unknown"]
    """Whether the system's cap cut it; ``unknown`` where nothing is said, below the cap."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export has come."""

    since: datetime
    """The start of what is exported."""
    until: datetime
    """Its end."""
    done_until: datetime
    """Everything before this instant has been given."""
    rows: int
    """Rows given."""
    leaves: int
    """Windows that were read whole."""
    calls: int
    """Calls that were made; a retry is part of its call."""


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A part of an export that was read whole in one go."""

    since: datetime
    """The first instant in it."""
    until: datetime
    """The first instant after it."""
    rows: int
    """How many rows it holds."""
    bytes: int
    """How many bytes of the file they are, line ends included."""
    first_id: str | None
    """The id of its first row."""
    last_id: str | None
    """The id of its last row."""
    sha256: str
    """The SHA-256 of those bytes, in hex."""


class Webhooks:
    """The endpoints that events are delivered to: see ``Client.webhooks``."""

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Health) -> None:
        self._native = native

    def create(
        self, url: str, *, event_filter: Sequence[str] = (), description: str | None = None
    ) -> Registration:
        """Registers an endpoint for the events whose type starts with one of these, such as
        ``phi.``; with none of them for every event. Needs the scope ``webhooks:write``.

        Store the secret before anything else: it is shown once. The call is sent once, never
        again by itself: each success registers one more. After ``connection``, ``timeout``,
        ``server_error``, ``malformed_response`` or ``response_too_large`` the endpoint may
        exist, and its secret is lost: find it with ``list``, ``delete`` it, register again.
        """
        return cast(
            "Registration",
            self._native.create_webhook(
                url, event_filter=event_filter, description=description
            ).wait(),
        )

    def list(self) -> tuple[Endpoint, ...]:
        """All endpoints, disabled ones too. Needs the scope ``audit:read``."""
        return cast("tuple[Endpoint, ...]", self._native.list_webhooks().wait())

    def disable(self, id: str) -> None:
        """Stops deliveries and keeps the history. There is no enabling: register the URL
        again, which gives a new id and a new secret."""
        self._native.disable_webhook(id).wait()

    def delete(self, id: str) -> None:
        """Removes the endpoint and its delivery history."""
        self._native.delete_webhook(id).wait()


class AsyncWebhooks:
    """``Webhooks`` for ``asyncio``."""

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Health) -> None:
        self._native = native

    async def create(
        self, url: str, *, event_filter: Sequence[str] = (), description: str | None = None
    ) -> Registration:
        """See ``Webhooks.create``."""
        return cast(
            "Registration",
            await self._native.create_webhook(
                url, event_filter=event_filter, description=description
            ).future(),
        )

    async def list(self) -> tuple[Endpoint, ...]:
        """See ``Webhooks.list``."""
        return cast("tuple[Endpoint, ...]", await self._native.list_webhooks().future())

    async def disable(self, id: str) -> None:
        """See ``Webhooks.disable``."""
        await self._native.disable_webhook(id).future()

    async def delete(self, id: str) -> None:
        """See ``Webhooks.delete``."""
        await self._native.delete_webhook(id).future()


class Client(SyncBase[_velora.Health]):
    """The client of Velora Health's audit API.

    >>> with Client("vlk_live_…") as client:  # doctest: +SKIP
    ...     client.probe()
    ...     for event in client.events(since="2026-05-01T00:00:00Z", phi_involved=True):
    ...         print(event.timestamp, event.type)

    Reads and all else that may be repeated are retried. Every call may raise an ``ApiError``
    of the code ``unauthorized``, ``forbidden``, ``not_found``, ``conflict``,
    ``invalid_request``, ``rate_limited``, ``server_error``, ``connection``, ``timeout``,
    ``malformed_response``, ``response_too_large`` or ``unexpected_redirect``. It can be shared
    between threads, and works on in a process that was forked. Instants are aware ``datetime``
    objects, or texts such as ``2026-05-01T00:00:00Z``.

    Raises ``invalid_api_key``, ``invalid_base_url``; ``invalid_option`` where an option is out
    of its range.
    """

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Health(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    @classmethod
    def from_env(cls) -> Client:
        """A client of what the environment names: ``VELORA_API_KEY``, and ``VELORA_BASE_URL``
        if it is not the vendor's. Raises ``invalid_api_key``, also where it is not set;
        ``invalid_base_url``."""
        client = cls.__new__(cls)
        client._native = _velora.Health.from_env()
        return client

    def probe(self) -> None:
        """Asks for one event, to see that key, scope and URL fit together.

        Raises ``unauthorized`` (the key) and ``forbidden`` (it lacks ``audit:read``).
        """
        self._native.probe().wait()

    def events(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        action: str | None = None,
        resource_type: str | None = None,
        phi_involved: bool | None = None,
        limit: int | None = None,
    ) -> Items[AuditEvent]:
        """Lists events, newest first, ``limit`` (1 to 1000) a page. Needs ``audit:read``.

        The pages are chained by cursors that encode a timestamp: where very many events share
        one, the system may skip some at the edge of a page. What must be complete is better
        read with ``export``, which proves it. When back-filling set ``until`` too, so that new
        events do not shift the pages.

        Raises ``invalid_option`` and ``invalid_window`` at once; the loop may raise
        ``cursor_loop``.
        """
        return Items(
            self._native.events(
                since=since,
                until=until,
                action=action,
                resource_type=resource_type,
                phi_involved=phi_involved,
                limit=limit,
            )
        )

    def event(self, id: str) -> AuditEvent:
        """One event by its id. Raises ``not_found``."""
        return cast("AuditEvent", self._native.event(id).wait())

    def export(
        self,
        *,
        since: datetime | str,
        until: datetime | str,
        phi_involved: bool | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Items[AuditEvent]:
        """Exports a window whole, through the cap of 10,000 rows a call: it is split until
        every part is proven to have fitted. Rows come once each, oldest first; memory does not
        grow with their number. ``concurrency`` calls (4) run beside each other, each holding
        about 5 MB. Needs ``audit:export``.

        ``on_progress`` is called by whoever asks for a row, before the rows that it counts are
        given. What it raises ends the export, and is raised there.

        Raises ``invalid_option`` and ``invalid_window`` at once; the loop raises
        ``incomplete_window`` where the rows given so far are not all there are, or that cannot
        be proven.
        """
        return Items(
            self._native.export(
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=on_progress,
            )
        )

    def export_once(
        self, *, since: datetime | str, until: datetime | str, phi_involved: bool | None = None
    ) -> ExportedOnce:
        """One call of the export, and whether the system's cap cut it. Raises
        ``invalid_option``, ``invalid_window``."""
        return cast(
            "ExportedOnce",
            self._native.export_once(
                since=since, until=until, phi_involved=phi_involved
            ).wait(),
        )

    def export_to_file(
        self,
        path: str | os.PathLike[str],
        *,
        since: datetime | str,
        until: datetime | str,
        phi_involved: bool | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Manifest:
        """Exports a window whole into a file of NDJSON, and gives the proof.

        Killed at any point and called again, it goes on: the file will hold the same bytes as
        if nothing had happened. While it runs, ``<path>.checkpoint`` stands beside the file; in
        the end ``<path>.manifest.json`` does. On Unix all of them are made with mode 0600; a
        file that is there keeps its mode. What ``on_progress`` raises ends it; a further call
        goes on. For ``tqdm``: ``on_progress=lambda p: bar.update(p.rows - bar.n)``.

        Raises what ``export`` does; ``file_unusable``, also where another process is at it;
        ``file_mismatch`` where the file exists and is of something else.
        """
        return cast(
            "Manifest",
            self._native.export_to_file(
                path,
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=on_progress,
            ).wait(),
        )

    @property
    def webhooks(self) -> Webhooks:
        """The endpoints that events are delivered to."""
        return Webhooks(self._native)


class AsyncClient(AsyncBase[_velora.Health]):
    """``Client`` for ``asyncio``: the same calls, awaited."""

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Health(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    @classmethod
    def from_env(cls) -> AsyncClient:
        """See ``Client.from_env``."""
        client = cls.__new__(cls)
        client._native = _velora.Health.from_env()
        return client

    async def probe(self) -> None:
        """See ``Client.probe``."""
        await self._native.probe().future()

    def events(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        action: str | None = None,
        resource_type: str | None = None,
        phi_involved: bool | None = None,
        limit: int | None = None,
    ) -> AsyncItems[AuditEvent]:
        """See ``Client.events``."""
        return AsyncItems(
            self._native.events(
                since=since,
                until=until,
                action=action,
                resource_type=resource_type,
                phi_involved=phi_involved,
                limit=limit,
            )
        )

    async def event(self, id: str) -> AuditEvent:
        """See ``Client.event``."""
        return cast("AuditEvent", await self._native.event(id).future())

    def export(
        self,
        *,
        since: datetime | str,
        until: datetime | str,
        phi_involved: bool | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncItems[AuditEvent]:
        """See ``Client.export``."""
        return AsyncItems(
            self._native.export(
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=on_progress,
            )
        )

    async def export_once(
        self, *, since: datetime | str, until: datetime | str, phi_involved: bool | None = None
    ) -> ExportedOnce:
        """See ``Client.export_once``."""
        return cast(
            "ExportedOnce",
            await self._native.export_once(
                since=since, until=until, phi_involved=phi_involved
            ).future(),
        )

    async def export_to_file(
        self,
        path: str | os.PathLike[str],
        *,
        since: datetime | str,
        until: datetime | str,
        phi_involved: bool | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Manifest:
        """See ``Client.export_to_file``; ``on_progress`` is called in the event loop, which
        hears of what it raises."""
        return cast(
            "Manifest",
            await self._native.export_to_file(
                path,
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=in_loop(on_progress),
            ).future(),
        )

    @property
    def webhooks(self) -> AsyncWebhooks:
        """The endpoints that events are delivered to."""
        return AsyncWebhooks(self._native)
