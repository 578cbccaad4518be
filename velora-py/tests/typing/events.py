"""What an editor knows of a delivery and of its event. Checked, never run."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal
from wsgiref.headers import Headers

from typing_extensions import assert_type
from velora import (
    AsyncReceiver,
    AsyncWork,
    Backfilled,
    CustomClaim,
    CustomEvent,
    Delivery,
    MemoryStore,
    Outcome,
    Receiver,
    Reply,
    Scheme,
    Store,
    Verifier,
    Work,
    billing,
    curae,
    health,
    tv,
)
from velora.events import OtherType


def headers(request: BaseHTTPRequestHandler, wsgi: Headers) -> None:
    verifier = Verifier("health", "secret")
    verifier.verify(b"", request.headers)
    verifier.verify(b"", wsgi)
    verifier.verify(b"", {"X-Velora-Signature": "t=1,v1=0"})
    verifier.verify(b"", [(b"x-velora-signature", b"t=1,v1=0")])


def verifiers(name: str) -> None:
    assert_type(Verifier("health", "secret"), Verifier[health.Event])
    assert_type(Verifier("billing", b"secret"), Verifier[billing.Event])
    assert_type(Verifier("curae", ["old", "new"]), Verifier[curae.Event])
    assert_type(Verifier("tv", "secret", tolerance=60), Verifier[tv.Event])
    assert_type(Verifier("tv-body-only", ("a", b"b")), Verifier[tv.BodyOnlyEvent])
    assert_type(Verifier(name, "secret"), Verifier[Any])
    assert_type(Verifier(Scheme.named(name), "secret"), Verifier[Any])


def schemes(scheme: Scheme, either: str | Scheme) -> None:
    own = Verifier(Scheme("own", "X-Signature"), ["new", "old"])
    assert_type(own, Verifier[CustomEvent])
    assert_type(Verifier(scheme, "secret"), Verifier[Any])
    assert_type(Verifier(either, "secret"), Verifier[Any])
    assert_type(own.verify(b"", {}).event.members, dict[str, Any])

    def handle(event: CustomEvent) -> None: ...

    receiver = Receiver(own, MemoryStore())
    assert_type(receiver, Receiver[CustomEvent])
    receiver.receive(b"", {}, handle)


def deliveries(verifier: Verifier[health.Event]) -> None:
    delivery = verifier.verify(b"", {}, now=1.5)
    assert_type(verifier.verify(b"", {}, datetime.now()), Delivery[health.Event])
    assert_type(delivery, Delivery[health.Event])
    assert_type(delivery.event, health.Event)
    assert_type(delivery.key, str)
    assert_type(delivery.event_type, str | None)
    assert_type(delivery.signed_timestamp, datetime | None)


def known_types(event: health.Event) -> str:
    match event.type:
        case health.EventType.PHI_READ:
            return "read"
        case health.EventType.PHI_QUERY | health.EventType.PHI_EXPORT:
            return "other"
        case health.EventType() as known:
            assert_type(known, Literal[health.EventType.PHI_DECRYPT])
            return known.name
        case newer:
            assert_type(newer, OtherType)
            return newer


def known_data(event: tv.Event) -> str:
    match event.data:
        case tv.StreamOnline() as online:
            assert_type(online.started_at, datetime | None)
            return online.stream_id
        case other:
            return str(other)


def members(event: health.Event, of_billing: billing.Event) -> None:
    assert_type(event.id, str)
    assert_type(event.timestamp, datetime | None)
    assert_type(event.actor, health.Actor | None)
    assert_type(event.to_dict(), dict[str, Any])
    assert_type(of_billing.type, str | None)
    assert_type(of_billing.type_is_signed, bool)


def receivers() -> None:
    def handle(event: curae.Event) -> None: ...

    reply = Receiver(Verifier("curae", "secret"), MemoryStore()).receive(b"", {}, handle)
    assert_type(reply, Reply)
    assert_type(reply.headers, dict[str, str])


def work(store: Store) -> Reply:
    work = Receiver(Verifier("curae", "secret"), store).begin(b"", {})
    if isinstance(work, Reply):
        return work
    assert_type(work, Work[curae.Event])
    assert_type(work.delivery, Delivery[curae.Event])
    assert_type(work.event, curae.Event)
    assert_type(work.epoch, int)
    store.commit_in(sqlite3.connect(":memory:"), work.key, work.epoch)
    assert_type(work.release(), Reply)
    assert_type(work.committed(), Reply)
    return work.done()


class Rows:
    def claim(self, key: str) -> CustomClaim:
        return CustomClaim("fresh", epoch=len(key))

    def commit(self, key: str, epoch: int) -> None: ...
    def release(self, key: str, epoch: int) -> None: ...
    def renew(self, key: str, epoch: int) -> None: ...


class AsyncRows:
    async def claim(self, key: str) -> CustomClaim:
        return CustomClaim("in_flight", retry_after=5)

    async def commit(self, key: str, epoch: int) -> None: ...
    async def release(self, key: str, epoch: int) -> None: ...
    async def renew(self, key: str, epoch: int) -> None: ...


def stores() -> list[Store]:
    return [Store.of(Rows()), Store.of(AsyncRows())]


def listed(receiver: Receiver[health.Event], event: health.AuditEvent) -> Outcome:
    if event.key is None:
        return "malformed_event"
    backfilled = receiver.backfill(event.key, lambda: print(event.action))
    assert_type(backfilled, Backfilled)
    assert_type(backfilled.retry_after, float | None)
    return backfilled.outcome


async def async_receivers() -> None:
    async def handle(event: curae.Event) -> None: ...

    receiver = AsyncReceiver(Verifier("curae", "secret"), MemoryStore())
    assert_type(receiver, AsyncReceiver[curae.Event])
    assert_type(await receiver.receive(b"", {}, handle), Reply)
    assert_type(await receiver.receive(b"", {}, lambda event: event.id), Reply)
    assert_type(await receiver.backfill("key", receivers), Backfilled)
    work = await receiver.begin(b"", {})
    assert_type(work, AsyncWork[curae.Event] | Reply)
    if isinstance(work, AsyncWork):
        await work.renew()
        assert_type(work.event, curae.Event)
        assert_type(await work.done(), Reply)
        assert_type(await work.committed(), Reply)


async def claims(store: MemoryStore) -> None:
    with store.claim("key") as claim:
        assert_type(claim.state, Literal["fresh", "in_flight", "done"])
        assert_type(claim.epoch, int | None)
    async with store.claim("key") as claim:
        await claim.acommit()
