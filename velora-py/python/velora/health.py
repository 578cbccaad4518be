"""Velora Health: PHI audit events, delivered, listed and exported.

Sources: Velora Health, *Webhooks*, *Audit events*, *Code samples*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _velora, events
from ._progress import reporting_to
from ._velora import AuditEvent, Manifest, SigningSecret
from .api import AsyncBase, SyncBase
from .events import OtherType
from .paging import AsyncItems, Items

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from typing_extensions import Self, Unpack

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
    """What happened. The set is open: a type that is not listed comes as an ``OtherType``."""

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
    """What it was done to."""
    phi_involved: bool | None
    """Whether protected health information was involved."""
    success: bool | None
    """Whether the action succeeded."""
    details: Any = field(hash=False)
    """Free-form details: a dict in deliveries."""
    schema_version: str | None
    """The version of the envelope, as text. It changes only if a member is removed or
    renamed."""
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
    """The prefixes of the event types that it receives; empty means every event."""
    description: str | None
    """A name for humans."""
    active: bool | None
    """Whether deliveries are sent. A disabled endpoint cannot be enabled again: register the
    URL anew."""
    consecutive_failures: int
    """Failed deliveries in a row; at 10 the system disables the endpoint."""
    last_delivery_at: datetime | None
    """When a delivery was last sent."""
    created_at: datetime | None
    """When it was registered."""
    is_failing: bool
    """Whether it has more than 3 consecutive failures. Fix it before the tenth."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The result of registering an endpoint. Its secret is never shown again."""

    endpoint: Endpoint
    """The endpoint."""
    secret: SigningSecret
    """The secret that its deliveries are signed with, ready for a ``Verifier``. Store it at
    once: ``secret.expose_secret()``."""


@dataclass(frozen=True, slots=True, repr=False)
class ExportedOnce:
    """The result of a single export call."""

    events: tuple[AuditEvent, ...]
    """The rows, in the system's order."""
    truncation: Literal["yes", "no", "unknown"]
    """Whether the cap of 10,000 rows truncated them; ``unknown`` if there are fewer and the
    system does not say."""

    def __repr__(self) -> str:
        return f"ExportedOnce({len(self.events)} events, truncation={self.truncation!r})"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an export."""

    since: datetime
    """The start of the window."""
    until: datetime
    """The end of the window, exclusive."""
    done_until: datetime
    """All rows before this instant have been returned."""
    rows: int
    """How many rows have been returned."""
    leaves: int
    """How many parts of the window have been read completely."""
    calls: int
    """How many API calls were made; a retry is part of its call."""


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A part of an export that was read completely in one go."""

    since: datetime
    """The first instant in it."""
    until: datetime
    """The first instant after it."""
    rows: int
    """How many rows it holds."""
    bytes: int
    """How many bytes of the file these rows take, line ends included."""
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
        """Registers an endpoint. ``event_filter`` holds prefixes of event types, such as
        ``phi.``; empty means every event. Needs the scope ``webhooks:write``.

        Store the secret before you do anything else: it is shown only once. The call is never
        retried, because each success registers another endpoint. After ``connection``,
        ``timeout``, ``server_error``, ``malformed_response`` or ``response_too_large`` the
        endpoint may exist, and its secret is lost. Find it with ``list``, ``delete`` it, and
        register again.
        """
        return cast(
            "Registration",
            self._native.create_webhook(
                url, event_filter=event_filter, description=description
            ).wait(),
        )

    def list(self) -> tuple[Endpoint, ...]:
        """All endpoints, including disabled ones. Needs the scope ``audit:read``."""
        return cast("tuple[Endpoint, ...]", self._native.list_webhooks().wait())

    def disable(self, id: str) -> None:
        """Stops deliveries and keeps the history. A disabled endpoint cannot be enabled:
        register the URL again, which gives it a new id and a new secret."""
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

    Reads, and other calls that are safe to repeat, are retried. Every call may raise an
    ``ApiError`` with the code ``unauthorized``, ``forbidden``, ``not_found``, ``conflict``,
    ``invalid_request``, ``rate_limited``, ``server_error``, ``connection``, ``timeout``,
    ``malformed_response``, ``response_too_large`` or ``unexpected_redirect``. A client can be
    shared between threads, and keeps working in a forked process. Instants are aware
    ``datetime`` objects, or strings such as ``2026-05-01T00:00:00Z``.

    Raises ``invalid_api_key``, ``invalid_base_url``; ``invalid_option`` if an option is out of
    its range.
    """

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Health(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """A client from the environment: ``VELORA_API_KEY``, and ``VELORA_BASE_URL`` if the API
        is not at the vendor's URL (an empty one is ignored). The option ``base_url`` takes
        precedence over it. Raises ``invalid_api_key``, also if it is not set;
        ``invalid_base_url``, ``invalid_option``."""
        client = cls.__new__(cls)
        client._native = _velora.Health.from_env(**options)
        return client

    def probe(self) -> None:
        """Requests one event, to check that the key, its scope and the URL are right.

        Raises ``unauthorized`` if the key is unknown, ``forbidden`` if it lacks ``audit:read``.
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
        cursor: str | None = None,
    ) -> Items[AuditEvent]:
        """Lists events, newest first, ``limit`` (1 to 1000, by default 1000) per page. Needs
        the scope ``audit:read``.

        The pages are chained by cursors that encode a timestamp. If very many events share one
        timestamp, the system may skip some at the edge of a page. For anything that must be
        complete, use ``export``, which proves it. When you back-fill, set ``until`` too, so
        that new events do not shift the pages.

        With ``cursor``, starts where a page ended: at its ``next_cursor``. Everything else must
        be as it was for that page. An event at the edge of the pages may come again, as only
        what one loop returned is dropped from it.

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
                cursor=cursor,
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
        """Exports a window completely, despite the cap of 10,000 rows a call: the window is
        split until every part is proven to have fitted into one response. Each row comes once,
        oldest first; memory use does not grow with the number of rows. ``concurrency`` calls
        (4) run at the same time, each holding about 5 MB. Needs the scope ``audit:export``, and
        ``audit:read`` if a single instant holds more events than a call can return.

        ``on_progress`` is called in the thread that requests a row, before the rows that it
        counts are returned. If it raises, the export ends, and the request for the row raises
        the same exception.

        Raises ``invalid_option`` and ``invalid_window`` at once, and ``TypeError`` if
        ``on_progress`` is a coroutine function or a generator function. The loop raises
        ``incomplete_window`` if the rows so far are not complete, or cannot be proven to be.
        """
        return Items(
            self._native.export(
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=reporting_to(on_progress),
            )
        )

    def export_once(
        self, *, since: datetime | str, until: datetime | str, phi_involved: bool | None = None
    ) -> ExportedOnce:
        """Makes a single export call, and tells whether the system's cap truncated it. Needs
        the scope ``audit:export``. Raises ``invalid_option``, ``invalid_window``."""
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
        """Exports a window completely into an NDJSON file, and returns the proof.

        If the process is killed at any point, call it again: it resumes behind the last leaf, a
        window of up to 10,000 rows, that was on the disk, and the file ends up with the same
        bytes as without the interruption. While it runs, ``<path>.checkpoint`` is
        next to the file; at the end it is replaced by ``<path>.manifest.json``. If the export
        is finished already, it returns the manifest and sends no request. On Unix all three
        files are created with mode 0600; an existing file keeps its mode.

        If the window ends in the future, the file has the events so far, the manifest says up
        to when (``complete_until``), and the checkpoint stays: another call replaces what had
        not ended yet. This machine's clock decides, or that of the system, by the ``Date`` of
        its responses, if it is behind. For a file that stays as it is, let the window end in
        the past.

        If ``on_progress`` raises, the export ends with the same exception; another call resumes
        it. For ``tqdm``: ``on_progress=lambda p: bar.update(p.rows - bar.n)``.

        Raises what ``export`` raises; ``file_unusable``, also if another export to the
        file goes on for more than 5 s; ``file_mismatch`` if it holds something else, or if
        one of the three files is gone that this export left.
        """
        return cast(
            "Manifest",
            self._native.export_to_file(
                path,
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=reporting_to(on_progress),
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
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """See ``Client.from_env``."""
        client = cls.__new__(cls)
        client._native = _velora.Health.from_env(**options)
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
        cursor: str | None = None,
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
                cursor=cursor,
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
                on_progress=reporting_to(on_progress),
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
        """See ``Client.export_to_file``. ``on_progress`` is called by the event loop, and must
        be a plain function here too."""
        return cast(
            "Manifest",
            await self._native.export_to_file(
                path,
                since=since,
                until=until,
                phi_involved=phi_involved,
                concurrency=concurrency,
                on_progress=reporting_to(on_progress),
            ).future(),
        )

    @property
    def webhooks(self) -> AsyncWebhooks:
        """The endpoints that events are delivered to."""
        return AsyncWebhooks(self._native)
