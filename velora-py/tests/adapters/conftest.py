"""Servers that run as long as the tests do, one per command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from control import Control
from sending import Sender
from serving import ADAPTERS, Adapter, Server


@pytest.fixture(scope="session")
def control() -> Iterator[Control]:
    control = Control()
    yield control
    control.close()


@pytest.fixture(scope="session")
def serve(control: Control) -> Iterator[Callable[..., Server]]:
    """Starts a server, or gives the one that runs."""
    running: dict[tuple[str, ...], Server] = {}

    def start(*command: str) -> Server:
        if command not in running:
            running[command] = Server(command, CONTROL_PORT=str(control.port))
        return running[command]

    yield start
    for server in running.values():
        server.stop()


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def adapter(request: Any) -> Adapter:
    """Each framework under each server."""
    found: Adapter = request.param
    return found


@pytest.fixture
def server(adapter: Adapter, serve: Callable[..., Server]) -> Server:
    return serve(*adapter.command)


@pytest.fixture
def sender(server: Server) -> Sender:
    return Sender(server.port)
