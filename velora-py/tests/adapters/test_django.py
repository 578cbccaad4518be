"""What is specific to Django."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from control import Control
from handlers import atell
from sending import Sender, delivery, forged
from serving import DJANGO_ASGI, DJANGO_WSGI, Server
from velora import AsyncReceiver, MemoryStore, Receiver, Verifier
from velora.django import deliveries


@pytest.fixture(params=[DJANGO_WSGI, DJANGO_ASGI], ids=["wsgi", "asgi"])
def sender(request: Any, serve: Callable[..., Server]) -> Sender:
    return Sender(serve(*request.param).port)


def test_takes_a_body_that_was_read_before(sender: Sender, control: Control) -> None:
    made = delivery()
    assert sender.send("/read-before", forged(made)).text == "signature_mismatch"
    assert sender.send("/read-before", made).text == "processed"
    assert [call.raw for call in control.calls(made.id)] == [made.body]


@pytest.mark.parametrize("path", ["/writes", "/in-thread/writes"])
def test_undoes_what_a_handler_wrote_that_raised(
    sender: Sender, control: Control, path: str
) -> None:
    made = delivery()
    control.raise_once(made.id)

    assert sender.send(path, made).text == "handler_failed"
    assert made.id not in _seen(sender)
    assert sender.send(path, made).text == "processed"
    assert _seen(sender).count(made.id) == 1


def test_takes_no_handler_that_must_be_awaited() -> None:
    # Its coroutine would be thrown away, and the event with it.
    with pytest.raises(TypeError, match="await"):
        deliveries(Receiver(Verifier("health", "secret"), MemoryStore()), atell)


def test_takes_no_handler_of_which_a_call_runs_nothing() -> None:
    def lazy(event: Any) -> Any:
        yield

    for kind in [Receiver, AsyncReceiver]:
        with pytest.raises(TypeError, match="generator"):
            deliveries(kind(Verifier("health", "secret"), MemoryStore()), lazy)


def _seen(sender: Sender) -> list[str]:
    return sender.ask("GET", "/seen").text.split()
