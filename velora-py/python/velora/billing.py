"""Velora Billing: events without an id, reconciliation, and a delivery log that is re-fired.

Source: Velora Billing, *API + Webhooks*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _velora, events
from .api import AsyncBase, SyncBase
from .errors import ApiError
from .paging import AsyncItems, Items, in_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from .api import ClientOptions

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "LoggedDelivery",
    "NotRefired",
    "Progress",
    "ReconRun",
    "ReconSummary",
    "RefireReport",
    "Refired",
    "Retried",
]


@dataclass(frozen=True, slots=True, repr=False)
class Event(events.BaseEvent):
    """A billing event, whose envelope is not documented: any JSON object."""

    type: str | None
    """What happened, such as ``dispute.sla_breached``, where anything says so."""
    type_is_signed: bool
    """Whether ``type`` is from the body, under the MAC. Otherwise it is from
    ``X-Webhook-Event``, which anyone on the way could have rewritten: do not decide on it
    alone."""
    members: dict[str, Any] = field(hash=False)
    """All members of the body."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"Event(type={self.type!r})"


@dataclass(frozen=True, slots=True)
class ReconSummary:
    """What is open, over all products."""

    pending_tickets: int
    """Discrepancies that are not resolved."""
    urgent_tickets: int
    """Findings of severity ``HIGH`` or ``CRITICAL``."""
    open_disputes: int
    """Disputes that are open."""
    last_invoice_at: datetime | None
    """When the latest invoice came."""
    last_recon_at: datetime | None
    """When the latest run was."""
    as_of: datetime | None
    """When all this was so."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""


@dataclass(frozen=True, slots=True, repr=False)
class ReconRun:
    """A run of the reconciliation. What the system answers is not documented."""

    run_id: str | None
    """The run's id, where the answer has one: ready for ``audit_csv``."""
    response: Any = field(hash=False)
    """The whole answer."""

    def __repr__(self) -> str:
        return f"ReconRun(run_id={self.run_id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class LoggedDelivery:
    """A row of the delivery log: one attempt."""

    id: str
    """Its id, such as ``del_abc123``."""
    status: str
    """How it ended: ``ok``, ``failed``, or what else there is."""
    status_code: int | None
    """The HTTP status that the endpoint answered with, if it did."""
    duration: float | None
    """How long the endpoint took. The unit is not documented."""
    error_message: str | None
    """What went wrong."""
    retryable: bool
    """Whether the payload is still there to be re-fired."""
    retry_of_id: str | None
    """The delivery that this one re-fired."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""

    def __repr__(self) -> str:
        return f"LoggedDelivery(id={self.id!r}, status={self.status!r})"


@dataclass(frozen=True, slots=True)
class Retried:
    """What re-firing gave: a new attempt."""

    delivery_id: str
    """The new attempt's row in the log."""
    status: str
    """How it ended."""
    status_code: int | None
    """The HTTP status that the endpoint answered with, if it did."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come."""

    total: int
    """Events that have not arrived."""
    refired: int
    """Events that have arrived by now."""
    failed_again: int
    """Re-fired, and refused again by the endpoint."""
    not_refired: int
    """Could not be re-fired, or it is not known whether they were."""


@dataclass(frozen=True, slots=True)
class Refired:
    """A delivery that was re-fired."""

    of_id: str
    """The delivery in the log."""
    attempt: Retried
    """What the new attempt gave."""


@dataclass(frozen=True, slots=True)
class NotRefired:
    """A delivery that was not re-fired, or perhaps was."""

    of_id: str
    """The delivery in the log."""
    why: Literal["not_retryable", "refused", "unknown"]
    """``not_retryable``: its payload was not retained. ``refused``: by the system.
    ``unknown``: the answer was lost, the next sweep will see."""
    error: ApiError | None
    """What the system said."""


@dataclass(frozen=True, slots=True)
class RefireReport:
    """What a sweep did."""

    refired: tuple[Refired, ...]
    """What arrived."""
    failed_again: tuple[Refired, ...]
    """What the endpoint refused once more, or has not taken yet."""
    not_refired: tuple[NotRefired, ...]
    """What could not be re-fired, and why."""
    stopped: ApiError | None
    """What ended the sweep before its time; ``None`` where it went through."""
    left: tuple[str, ...]
    """The deliveries that it did not come to."""


class Client(SyncBase[_velora.Billing]):
    """The client of Velora Billing's integration API.

    The system allows each key 120 reads and 30 writes a minute. Reads, and ``run_recon``, are
    retried.

    Raises ``invalid_api_key``, ``invalid_base_url``; ``invalid_option`` where an option is out
    of its range.
    """

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Billing(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    def recon_summary(self) -> ReconSummary:
        """What is open, and when the latest invoice and run were."""
        return cast("ReconSummary", self._native.recon_summary().wait())

    def run_recon(self, invoice_id: str, run_key: str) -> ReconRun:
        """Runs the reconciliation of an uploaded invoice. It is idempotent on the pair: the
        same ``run_key`` gives the run that it gave before. Raises ``not_found``, ``conflict``,
        ``invalid_request``."""
        return cast("ReconRun", self._native.run_recon(invoice_id, run_key).wait())

    def audit_csv(self, run_id: str) -> Items[dict[str, str]]:
        """The discrepancies of a run, read as they arrive. Their columns are not documented;
        the header names them, and of several with one name the first counts."""
        return Items(self._native.audit_csv(run_id))

    def journal_csv(
        self, path: str, format: Literal["qbo", "netsuite"]
    ) -> Items[dict[str, str]]:
        """Journal entries for an accounting system. Where they are is not documented: give the
        path that you were told, such as ``/api/audits/run_1/gl``."""
        return Items(self._native.journal_csv(path, format))

    def deliveries(
        self, endpoint_id: str, *, status: str | None = None, limit: int | None = None
    ) -> Items[LoggedDelivery]:
        """The delivery log of an endpoint, newest first, ``limit`` (1 to 200) a page."""
        return Items(self._native.deliveries(endpoint_id, status=status, limit=limit))

    def retry_delivery(self, id: str) -> Retried:
        """Sends a delivery again, with the exact payload and signature. It is sent once, never
        again by itself. Raises ``conflict`` where the payload was not retained, or the delivery
        was taken already; ``not_found``."""
        return cast("Retried", self._native.retry_delivery(id).wait())

    def refire_failed(
        self,
        endpoint_id: str,
        *,
        writes_per_minute: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> RefireReport:
        """Re-fires every event that failed to arrive at the endpoint, oldest first, each once,
        at up to ``writes_per_minute`` (30)."""
        return cast(
            "RefireReport",
            self._native.refire_failed(
                endpoint_id, writes_per_minute=writes_per_minute, on_progress=on_progress
            ).wait(),
        )


class AsyncClient(AsyncBase[_velora.Billing]):
    """``Client`` for ``asyncio``: the same calls, awaited."""

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Billing(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    async def recon_summary(self) -> ReconSummary:
        """See ``Client.recon_summary``."""
        return cast("ReconSummary", await self._native.recon_summary().future())

    async def run_recon(self, invoice_id: str, run_key: str) -> ReconRun:
        """See ``Client.run_recon``."""
        return cast("ReconRun", await self._native.run_recon(invoice_id, run_key).future())

    def audit_csv(self, run_id: str) -> AsyncItems[dict[str, str]]:
        """See ``Client.audit_csv``."""
        return AsyncItems(self._native.audit_csv(run_id))

    def journal_csv(
        self, path: str, format: Literal["qbo", "netsuite"]
    ) -> AsyncItems[dict[str, str]]:
        """See ``Client.journal_csv``."""
        return AsyncItems(self._native.journal_csv(path, format))

    def deliveries(
        self, endpoint_id: str, *, status: str | None = None, limit: int | None = None
    ) -> AsyncItems[LoggedDelivery]:
        """See ``Client.deliveries``."""
        return AsyncItems(self._native.deliveries(endpoint_id, status=status, limit=limit))

    async def retry_delivery(self, id: str) -> Retried:
        """See ``Client.retry_delivery``."""
        return cast("Retried", await self._native.retry_delivery(id).future())

    async def refire_failed(
        self,
        endpoint_id: str,
        *,
        writes_per_minute: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> RefireReport:
        """See ``Client.refire_failed``; ``on_progress`` is called in the event loop."""
        return cast(
            "RefireReport",
            await self._native.refire_failed(
                endpoint_id,
                writes_per_minute=writes_per_minute,
                on_progress=in_loop(on_progress),
            ).future(),
        )
