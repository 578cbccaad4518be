"""Mistakes that a type checker reports: each ignored line must be one."""

# ruff: noqa: B018

from __future__ import annotations

from velora import (
    CustomClaim,
    MemoryStore,
    Receiver,
    Reply,
    Signer,
    Store,
    StoreError,
    Verifier,
    curae,
    health,
    tv,
)
from velora.errors import VeloraError


def construction() -> None:
    Verifier("health", None)  # type: ignore[call-overload]
    Verifier("health", "secret", 300)  # type: ignore[call-overload]
    Verifier("health")  # type: ignore[call-overload]
    Verifier("health", "secret", tolerance="300")  # type: ignore[call-overload]
    Signer("health", 5)  # type: ignore[arg-type]
    MemoryStore(5000)  # type: ignore[call-arg]
    MemoryStore(size=5000)  # type: ignore[call-arg]
    health.Client(b"key")  # type: ignore[arg-type]
    health.Client("key", retries=3)  # type: ignore[call-arg]
    health.Client("key", attempts="3")  # type: ignore[arg-type]
    Receiver(Verifier("health", "secret"), {})  # type: ignore[arg-type]


def events(event: health.Event, delivery_type: curae.EventType) -> None:
    event.id = "other"  # type: ignore[misc]
    event.event_type  # type: ignore[attr-defined]
    health.EventType.PHI_WRITE  # type: ignore[attr-defined]
    event.timestamp.year  # type: ignore[union-attr]
    expected: health.EventType = event.type  # type: ignore[assignment]
    other: health.EventType = delivery_type  # type: ignore[assignment]
    print(expected, other)


def handlers(receiver: Receiver[health.Event]) -> None:
    def of_another_system(event: tv.Event) -> None: ...

    receiver.receive(b"", {}, of_another_system)  # type: ignore[arg-type]
    receiver.receive(b"", {})  # type: ignore[call-arg]
    receiver.receive("text", {}, print)  # type: ignore[arg-type]
    receiver.receive(b"", 3, print)  # type: ignore[arg-type]
    receiver.verifier.verify(b"", "text")  # type: ignore[arg-type]
    receiver.begin(b"", {}).done()  # type: ignore[union-attr]
    receiver.backfill(health.AuditEvent.from_json("{}").key, print)  # type: ignore[arg-type]
    receiver.backfill("key", of_another_system)  # type: ignore[arg-type]


class Unclaimed:
    def claim(self, key: str) -> bool:
        return True

    def commit(self, key: str, epoch: int) -> None: ...
    def release(self, key: str, epoch: int) -> None: ...
    def renew(self, key: str, epoch: int) -> None: ...


class Returning:
    def claim(self, key: str) -> CustomClaim:
        return CustomClaim("done")

    def commit(self, key: str, epoch: int) -> bool:
        return epoch > 0

    def release(self, key: str, epoch: int) -> None: ...
    def renew(self, key: str, epoch: int) -> None: ...


def stores() -> None:
    Store.of(Unclaimed())  # type: ignore[arg-type]
    Store.of(Returning())  # type: ignore[arg-type]
    Store.of({"claim": print})  # type: ignore[arg-type]
    raise StoreError("lease_lost", "it was taken over")  # type: ignore[arg-type]


def calls(client: health.Client, awaited: health.AsyncClient) -> None:
    client.export(since="2026-05-01T00:00:00Z")  # type: ignore[call-arg]
    client.events(limit="10")  # type: ignore[arg-type]
    client.events("2026-05-01T00:00:00Z")  # type: ignore[call-arg]
    for event in awaited.events():  # type: ignore[attr-defined]
        print(event)
    with awaited:  # type: ignore[attr-defined]
        pass


def outcomes(reply: Reply) -> bool:
    return reply.outcome == "procesed"  # type: ignore[comparison-overlap]


def codes(error: VeloraError) -> bool:
    return error.code == "signature_missmatch"  # type: ignore[comparison-overlap]
