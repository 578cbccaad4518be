"""What is specific to Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from control import Control
from handlers import LIMIT, atell
from sending import Sender, delivery, forged, signed
from serving import FLASK, Server
from velora import AsyncReceiver, MemoryStore, Receiver, Verifier
from velora.flask import deliveries


@pytest.fixture
def sender(serve: Callable[..., Server]) -> Sender:
    return Sender(serve(*FLASK).port)


def test_takes_a_body_that_was_read_before(sender: Sender, control: Control) -> None:
    path = "/read-before/decorated"
    made = delivery()
    large = signed("health", made.id, made.body + b" " * (LIMIT - len(made.body)))

    assert sender.send(path, forged(made)).text == "signature_mismatch"
    assert sender.send(path, large).text == "processed"
    assert [call.raw for call in control.calls(made.id)] == [large.body]


def test_takes_nothing_that_must_be_awaited() -> None:
    verifier = Verifier("health", "secret")
    awaited: Any = AsyncReceiver(verifier, MemoryStore())
    with pytest.raises(TypeError, match="AsyncReceiver"):
        deliveries(awaited, print)
    # Its coroutine would be thrown away, and the event with it.
    with pytest.raises(TypeError, match="await"):
        deliveries(Receiver(verifier, MemoryStore()), atell)
