"""What the served applications share: receivers, and handlers that tell the test of each call
and do as it says."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import socket
from typing import Any

from velora import MemoryStore, Verifier, curae, health

SECRET = "0123456789abcdef" * 4
LIMIT = 64 * 1024
WAIT = 20.0

HEALTH = Verifier("health", SECRET)
CURAE = Verifier("curae", SECRET)
STORE = MemoryStore()

logging.basicConfig(format="%(name)s %(levelname)s %(message)s")


class Refused(Exception):
    """What a handler raises when it was told to."""


def tell(event: health.Event | curae.Event) -> None:
    """The handler of every application whose handlers wait."""
    with socket.create_connection(_control(), timeout=WAIT) as control:
        control.sendall(_call(event))
        verdict = control.makefile("rb").readline()
    _obey(verdict)


async def atell(event: health.Event | curae.Event) -> None:
    """The handler of every application whose handlers are awaited."""
    reader, writer = await asyncio.open_connection(*_control())
    try:
        writer.write(_call(event))
        verdict = await asyncio.wait_for(reader.readline(), WAIT)
    finally:
        writer.close()
        await writer.wait_closed()
    _obey(verdict)


def _control() -> tuple[str, int]:
    return "127.0.0.1", int(os.environ["CONTROL_PORT"])


def _call(event: health.Event | curae.Event) -> bytes:
    call: dict[str, Any] = {
        "id": event.id,
        "class": f"{type(event).__module__}.{type(event).__qualname__}",
        "type": type(event.type).__name__,
        "raw": base64.b64encode(event.raw.encode()).decode(),
        "pid": os.getpid(),
    }
    return json.dumps(call).encode() + b"\n"


def _obey(verdict: bytes) -> None:
    if verdict != b"ok\n":
        raise Refused("the handler was told to raise")
