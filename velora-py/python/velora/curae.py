"""CuraeAI: platform events, and the endpoints that receive them.

Sources: CuraeAI, *Platform webhooks*, *API conventions*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from . import _velora, events
from ._velora import SigningSecret
from .api import AsyncBase, SyncBase
from .events import OtherType
from .paging import AsyncItems, Items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from .api import ClientOptions

__all__ = [
    "AsyncClient",
    "AsyncWebhooks",
    "Client",
    "Endpoint",
    "Event",
    "EventType",
    "Registration",
    "Versioned",
    "Webhooks",
]


class EventType(events.EventType):
    """What happened. The catalogue is open: any other type comes as an ``OtherType``."""

    PATIENT_CREATED = "patient.created"
    PATIENT_UPDATED = "patient.updated"
    OBSERVATION_CREATED = "observation.created"
    OBSERVATION_UPDATED = "observation.updated"
    IMPORT_COMPLETED = "import.completed"
    CONNECTION_AUTHORIZED = "connection.authorized"
    CONNECTION_RECONNECTED = "connection.reconnected"
    CONNECTION_EXPIRED = "connection.expired"
    CONNECTION_ACTION_REQUIRED = "connection.action_required"
    CONNECTION_REVOKED = "connection.revoked"
    RECORDS_EXPORT_QUEUED = "records.export_queued"
    RECORDS_EXPORT_READY = "records.export_ready"
    RECORDS_EXPORT_FAILED = "records.export_failed"
    RECORDS_EXPORT_EXPIRED = "records.export_expired"
    ENTRY_INITIATED = "entry.initiated"
    ENTRY_COMPLETED = "entry.completed"
    ENTRY_LIMITED_PROVISIONED = "entry.limited_provisioned"
    ENTRY_TRANSFERRED = "entry.transferred"
    ENTRY_FOLDED = "entry.folded"
    CONSOLIDATION_COMPLETED = "consolidation.completed"
    CONSOLIDATION_REVERSED = "consolidation.reversed"
    USER_GRADUATED = "user.graduated"


@dataclass(frozen=True, slots=True, repr=False)
class Event(events.BaseEvent):
    """A platform event."""

    type: EventType | OtherType
    """What happened, such as ``EventType.RECORDS_EXPORT_READY``."""
    id: str
    """The same in every retry of the event."""
    data: Any = field(hash=False)
    """The payload, whose schemas are not documented."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"Event(type={str(self.type)!r}, id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered endpoint. A response may lack any member except the id."""

    id: str
    """Its id."""
    url: str | None
    """The URL that deliveries are sent to."""
    event_types: tuple[EventType | OtherType, ...]
    """The event types that it receives."""
    status: str | None
    """``ACTIVE``, or another status."""
    consecutive_failures: int | None
    """Failed deliveries in a row."""
    last_delivery_attempt_at: datetime | None
    """When a delivery was last sent."""
    last_successful_delivery_at: datetime | None
    """When a delivery was last accepted."""
    created_at: datetime | None
    """When it was registered."""
    updated_at: datetime | None
    """When it was last changed."""
    version: int | None
    """The version number, which grows with each change."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """An endpoint with its ETag."""

    endpoint: Endpoint
    """The endpoint."""
    etag: str | None
    """The ETag: which version of the endpoint this is, for ``update``, ``delete`` and
    ``get_if_changed``."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The result of registering an endpoint. Its secret is never shown again."""

    endpoint: Endpoint
    """The endpoint."""
    etag: str | None
    """The ETag: which version of the endpoint this is."""
    secret: SigningSecret
    """The secret that its deliveries are signed with, ready for a ``Verifier``. Store it at
    once: ``secret.expose_secret()``."""


class Webhooks:
    """The endpoints of an account: see ``Client.webhooks``."""

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Curae) -> None:
        self._native = native

    def create(
        self, url: str, event_types: Sequence[str], *, idempotency_key: str | None = None
    ) -> Registration:
        """Registers an endpoint for events of these types. The system accepts only a public
        ``https`` URL on port 443. Store the secret before you do anything else: it is shown
        only once.

        If you pass an ``idempotency_key`` of your own, running the program again does not
        register a second endpoint: for 24 hours the system repeats its first response to the
        same key, including the secret. Raises ``invalid_request``, ``conflict``.
        """
        return cast(
            "Registration",
            self._native.create_webhook(
                url, event_types, idempotency_key=idempotency_key
            ).wait(),
        )

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Items[Endpoint]:
        """The endpoints, ``limit`` (1 to 100) per page. With ``cursor``, starts where a page
        ended: at its ``next_cursor``."""
        return Items(self._native.list_webhooks(limit=limit, cursor=cursor))

    def get(self, id: str) -> Versioned:
        """One endpoint. Raises ``not_found``."""
        return cast("Versioned", self._native.get_webhook(id).wait())

    def get_if_changed(self, id: str, etag: str) -> Versioned | None:
        """One endpoint, if its version differs from this ``etag``; else ``None``."""
        return cast("Versioned | None", self._native.get_webhook_if_changed(id, etag).wait())

    def update(
        self,
        id: str,
        etag: str,
        *,
        url: str | None = None,
        event_types: Sequence[str] | None = None,
        status: str | None = None,
        idempotency_key: str | None = None,
    ) -> Versioned:
        """Changes an endpoint if its version is still this ``etag``; ``*`` matches any version.
        Arguments that you omit stay as they are. Raises ``conflict`` if it was changed
        meanwhile."""
        return cast(
            "Versioned",
            self._native.update_webhook(
                id,
                etag,
                url=url,
                event_types=event_types,
                status=status,
                idempotency_key=idempotency_key,
            ).wait(),
        )

    def delete(self, id: str, etag: str) -> None:
        """Removes an endpoint if its version is still this ``etag``; ``*`` matches any version.
        Raises ``conflict`` if it was changed meanwhile."""
        self._native.delete_webhook(id, etag).wait()


class AsyncWebhooks:
    """``Webhooks`` for ``asyncio``."""

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Curae) -> None:
        self._native = native

    async def create(
        self, url: str, event_types: Sequence[str], *, idempotency_key: str | None = None
    ) -> Registration:
        """See ``Webhooks.create``."""
        return cast(
            "Registration",
            await self._native.create_webhook(
                url, event_types, idempotency_key=idempotency_key
            ).future(),
        )

    def list(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> AsyncItems[Endpoint]:
        """See ``Webhooks.list``."""
        return AsyncItems(self._native.list_webhooks(limit=limit, cursor=cursor))

    async def get(self, id: str) -> Versioned:
        """See ``Webhooks.get``."""
        return cast("Versioned", await self._native.get_webhook(id).future())

    async def get_if_changed(self, id: str, etag: str) -> Versioned | None:
        """See ``Webhooks.get_if_changed``."""
        return cast(
            "Versioned | None", await self._native.get_webhook_if_changed(id, etag).future()
        )

    async def update(
        self,
        id: str,
        etag: str,
        *,
        url: str | None = None,
        event_types: Sequence[str] | None = None,
        status: str | None = None,
        idempotency_key: str | None = None,
    ) -> Versioned:
        """See ``Webhooks.update``."""
        return cast(
            "Versioned",
            await self._native.update_webhook(
                id,
                etag,
                url=url,
                event_types=event_types,
                status=status,
                idempotency_key=idempotency_key,
            ).future(),
        )

    async def delete(self, id: str, etag: str) -> None:
        """See ``Webhooks.delete``."""
        await self._native.delete_webhook(id, etag).future()


class Client(SyncBase[_velora.Curae]):
    """The client of CuraeAI's platform API. It uses production if the key starts with
    ``cae_live_``, and the sandbox if it starts with ``cae_test_``. A key of one with the URL of
    the other is ``wrong_environment``.

    Every call is safe to repeat, and is retried: mutations carry an ``Idempotency-Key``. The
    system's own code, such as ``SCOPE_INSUFFICIENT``, is in ``ApiError.vendor_code``.

    Raises ``invalid_api_key``, also for a key that starts with neither; ``wrong_environment``,
    ``invalid_base_url``; ``invalid_option`` if an option is out of its range.
    """

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Curae(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    @property
    def webhooks(self) -> Webhooks:
        """The endpoints that events are delivered to."""
        return Webhooks(self._native)


class AsyncClient(AsyncBase[_velora.Curae]):
    """``Client`` for ``asyncio``: the same calls, awaited."""

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Curae(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    @property
    def webhooks(self) -> AsyncWebhooks:
        """The endpoints that events are delivered to."""
        return AsyncWebhooks(self._native)
