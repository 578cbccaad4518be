"""Velora Billing: events without an id, reconciliation, and a delivery log that is re-fired.

Source: Velora Billing, *API + Webhooks*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _velora, events
from ._progress import reporting_to
from .api import AsyncBase, SyncBase
from .errors import ApiError
from .paging import AsyncItems, Items

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
    """What happened, such as ``dispute.sla_breached``; ``None`` if nothing names it."""
    type_is_signed: bool
    """Whether ``type`` comes from the body, which is under the MAC. Otherwise it comes from the
    header ``X-Webhook-Event``, which anyone on the way could have rewritten: do not rely on it
    alone. If nothing names it, it is not signed."""
    members: dict[str, Any] = field(hash=False)
    """All members of the body."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"Event(type={self.type!r})"


@dataclass(frozen=True, slots=True)
class ReconSummary:
    """What is unresolved, across all products."""

    pending_tickets: int
    """How many discrepancies are not resolved."""
    urgent_tickets: int
    """How many findings have the severity ``HIGH`` or ``CRITICAL``."""
    open_disputes: int
    """How many disputes are open."""
    last_invoice_at: datetime | None
    """When the latest invoice arrived."""
    last_recon_at: datetime | None
    """When reconciliation last ran."""
    as_of: datetime | None
    """The time that these values are from."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""


@dataclass(frozen=True, slots=True, repr=False)
class ReconRun:
    """A reconciliation run. The form of the response is not documented."""

    run_id: str | None
    """The run's id, for ``audit_csv``; ``None`` if the response has none."""
    response: Any = field(hash=False)
    """The whole response."""

    def __repr__(self) -> str:
        return f"ReconRun(run_id={self.run_id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class LoggedDelivery:
    """A row of the delivery log: one delivery attempt."""

    id: str
    """Its id, such as ``del_abc123``."""
    status: str
    """Its status: ``ok``, ``failed``, or one that is newer than this version."""
    status_code: int | None
    """The HTTP status of the endpoint's response, if there was one."""
    duration: float | None
    """How long the endpoint took. The unit is not documented."""
    error_message: str | None
    """What went wrong."""
    retryable: bool
    """Whether the payload was retained, so that the delivery can be re-fired."""
    retry_of_id: str | None
    """The id of the delivery that this one re-fired."""
    extra: dict[str, Any] = field(hash=False)
    """Every other member."""

    def __repr__(self) -> str:
        return f"LoggedDelivery(id={self.id!r}, status={self.status!r})"


@dataclass(frozen=True, slots=True)
class Retried:
    """The result of re-firing a delivery: a new attempt."""

    delivery_id: str
    """The id of the new attempt in the log."""
    status: str
    """Its status."""
    status_code: int | None
    """The HTTP status of the endpoint's response, if there was one."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of ``refire_failed``."""

    total: int
    """How many events had not arrived."""
    refired: int
    """How many of them have arrived by now."""
    failed_again: int
    """How many were re-fired, but not accepted by the endpoint."""
    not_refired: int
    """How many could not be re-fired, or may not have been."""


@dataclass(frozen=True, slots=True)
class Refired:
    """A delivery that was re-fired."""

    of_id: str
    """The id of the delivery in the log."""
    attempt: Retried
    """The new attempt."""


@dataclass(frozen=True, slots=True)
class NotRefired:
    """A delivery that was not re-fired, or may not have been."""

    of_id: str
    """The id of the delivery in the log."""
    why: Literal["not_retryable", "refused", "unknown"]
    """``not_retryable``: its payload was not retained. ``refused``: the system refused.
    ``unknown``: the response was lost; the next call will find out."""
    error: ApiError | None
    """The error of the call, if one was made."""


@dataclass(frozen=True, slots=True, repr=False)
class RefireReport:
    """The result of ``refire_failed``."""

    refired: tuple[Refired, ...]
    """The deliveries that arrived."""
    failed_again: tuple[Refired, ...]
    """The deliveries that the endpoint refused again, or has not accepted yet."""
    not_refired: tuple[NotRefired, ...]
    """The deliveries that could not be re-fired, and why."""
    stopped: ApiError | None
    """The error that ended it early; ``None`` if it ran to the end."""
    left: tuple[str, ...]
    """The ids of the deliveries that it did not get to."""

    def __repr__(self) -> str:
        return (
            f"RefireReport({len(self.refired)} refired, {len(self.failed_again)} failed again, "
            f"{len(self.not_refired)} not refired, {len(self.left)} left, "
            f"stopped={self.stopped!r})"
        )


class Client(SyncBase[_velora.Billing]):
    """The client of Velora Billing's integration API.

    The system allows each key 120 reads and 30 writes a minute. Reads, and ``run_recon``, are
    retried.

    Raises ``invalid_api_key``, ``invalid_base_url``; ``invalid_option`` if an option is out of
    its range.
    """

    __slots__ = ()

    def __init__(self, api_key: str, **options: Unpack[ClientOptions]) -> None:
        try:
            super().__init__(_velora.Billing(api_key, **options))
        finally:
            del api_key, options  # A traceback may show what its frames hold.

    def recon_summary(self) -> ReconSummary:
        """What is unresolved, and the times of the latest invoice and run."""
        return cast("ReconSummary", self._native.recon_summary().wait())

    def run_recon(self, invoice_id: str, run_key: str) -> ReconRun:
        """Reconciles an uploaded invoice. The call is idempotent: for the same invoice and
        ``run_key`` it returns the earlier run. Raises ``not_found``, ``conflict``,
        ``invalid_request``."""
        return cast("ReconRun", self._native.run_recon(invoice_id, run_key).wait())

    def audit_csv(self, run_id: str) -> Items[dict[str, str]]:
        """The discrepancies of a run, row by row as they arrive. The columns are not
        documented; the CSV header names them. Of several columns with the same name, the first
        is kept."""
        return Items(self._native.audit_csv(run_id))

    def journal_csv(
        self, path: str, format: Literal["qbo", "netsuite"]
    ) -> Items[dict[str, str]]:
        """Journal entries for an accounting system. Their path is not documented: pass the one
        that you were told, such as ``/api/audits/run_1/gl``."""
        return Items(self._native.journal_csv(path, format))

    def deliveries(
        self,
        endpoint_id: str,
        *,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Items[LoggedDelivery]:
        """The delivery log of an endpoint, newest first, ``limit`` (1 to 200) per page. With
        ``cursor``, starts where a page with the same ``status`` ended: at its
        ``next_cursor``."""
        return Items(
            self._native.deliveries(endpoint_id, status=status, limit=limit, cursor=cursor)
        )

    def retry_delivery(self, id: str) -> Retried:
        """Re-fires a delivery, with exactly the same payload and signature. The call is never
        retried. Raises ``conflict`` if the payload was not retained, or the endpoint has
        already accepted the delivery; ``not_found``."""
        return cast("Retried", self._native.retry_delivery(id).wait())

    def refire_failed(
        self,
        endpoint_id: str,
        *,
        writes_per_minute: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> RefireReport:
        """Re-fires every event that has not arrived at the endpoint, each once, oldest first,
        at up to ``writes_per_minute`` (30).

        ``on_progress`` is called in the thread that waits. If it raises, the call ends with the
        same exception, and what was re-fired stays re-fired: another call finds out from the
        log what is left. Raises ``TypeError`` if it is a coroutine function or a generator
        function."""
        return cast(
            "RefireReport",
            self._native.refire_failed(
                endpoint_id,
                writes_per_minute=writes_per_minute,
                on_progress=reporting_to(on_progress),
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
        self,
        endpoint_id: str,
        *,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncItems[LoggedDelivery]:
        """See ``Client.deliveries``."""
        return AsyncItems(
            self._native.deliveries(endpoint_id, status=status, limit=limit, cursor=cursor)
        )

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
        """See ``Client.refire_failed``. ``on_progress`` is called by the event loop, and must
        be a plain function here too."""
        return cast(
            "RefireReport",
            await self._native.refire_failed(
                endpoint_id,
                writes_per_minute=writes_per_minute,
                on_progress=reporting_to(on_progress),
            ).future(),
        )
