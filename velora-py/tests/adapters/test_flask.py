"""What is specific to Flask."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from control import Control
from flask import Flask
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


def test_every_outcome_is_in_the_log_for_whoever_looks_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask("app")
    receiver = Receiver(Verifier("health", "secret"), MemoryStore())
    app.post("/health")(deliveries(receiver, lambda _: None))
    made = delivery()
    for level, written in [("INFO", ""), ("DEBUG", "401 signature_mismatch")]:
        with caplog.at_level(logging.getLevelName(level), "velora"):
            app.test_client().post("/health", data=made.body, headers=dict(made.headers))
        assert written in caplog.text
        assert bool(written) is bool(caplog.records)
