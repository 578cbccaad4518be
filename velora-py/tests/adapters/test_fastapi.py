"""What is specific to FastAPI."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from control import Control
from handlers import LIMIT, tell
from sending import Sender, delivery, forged, signed, twice
from serving import FASTAPI, Server
from velora import AsyncReceiver, MemoryStore, Receiver, Verifier
from velora.fastapi import deliveries


@pytest.fixture
def sender(serve: Callable[..., Server]) -> Sender:
    return Sender(serve(*FASTAPI).port)


def test_decorates_a_handler(sender: Sender, control: Control) -> None:
    made = delivery()
    assert sender.send("/decorated", made).text == "processed"
    assert len(control.calls(made.id)) == 1


def test_describes_its_routes(sender: Sender) -> None:
    described: dict[str, Any] = json.loads(sender.ask("GET", "/openapi.json").text)
    operation = described["paths"]["/decorated"]["post"]
    assert operation["summary"] == "Decorated"
    assert operation["description"] == "Takes an audit event."
    assert "parameters" not in operation
    assert {"/health", "/verified/health"} < set(described["paths"])


def test_gives_a_verified_event(sender: Sender) -> None:
    made = delivery()
    for _ in range(2):  # It keeps no books.
        given = sender.send("/verified/health", made)
        assert given.status == 200
        assert json.loads(given.text) == {"id": made.id, "class": "velora.health.Event"}
    assert sender.send_chunked("/verified/health", made).status == 200


@pytest.mark.parametrize(
    ("system", "refused", "too_large"), [("health", 401, 413), ("curae", 400, 500)]
)
def test_refuses_what_is_not_verified(
    sender: Sender, system: str, refused: int, too_large: int
) -> None:
    path = f"/verified/{system}"
    made = delivery(system)
    large = signed(system, made.id, made.body + b" " * LIMIT)
    for sent, status, outcome in [
        (forged(made), refused, "signature_mismatch"),
        (twice(made), refused, "duplicate_header"),
        (large, too_large, "body_too_large"),
        (signed(system, made.id, b"{"), 500, "malformed_event"),
    ]:
        answer = sender.send(path, sent)
        assert (answer.status, json.loads(answer.text)) == (status, {"detail": outcome})


def test_takes_no_receiver_that_waits() -> None:
    waits: Any = Receiver(Verifier("health", "secret"), MemoryStore())
    with pytest.raises(TypeError, match="AsyncReceiver"):
        deliveries(waits, tell)


def test_takes_no_handler_of_which_a_call_runs_nothing() -> None:
    def lazy(event: Any) -> Any:
        yield

    with pytest.raises(TypeError, match="generator"):
        deliveries(AsyncReceiver(Verifier("health", "secret"), MemoryStore()), lazy)


def test_shows_the_handlers_name() -> None:
    receiver = AsyncReceiver(Verifier("health", "secret"), MemoryStore())
    assert getattr(deliveries(receiver, tell), "__name__", None) == "tell"
