"""The test's side of a handler: records its calls, and tells it what to do."""

from __future__ import annotations

import base64
import json
import socket
import threading
from dataclasses import dataclass
from queue import Queue
from typing import Any

WAIT = 20.0


@dataclass
class Call:
    """A call of a handler, which waits for a verdict."""

    id: str
    event_class: str
    event_type: str
    raw: bytes
    pid: int
    connection: socket.socket

    def end(self, verdict: str = "ok") -> None:
        with self.connection:
            self.connection.sendall(verdict.encode() + b"\n")


class Control:
    """Takes the calls of all handlers, by the id of their event."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._calls: dict[str, list[Call]] = {}
        self._held: dict[str, Queue[Call]] = {}
        self._raising: set[str] = set()
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def calls(self, id: str) -> list[Call]:
        """The calls with this event, so far."""
        with self._lock:
            return list(self._calls.get(id, ()))

    def raise_once(self, id: str) -> None:
        """The next handler of this event raises."""
        with self._lock:
            self._raising.add(id)

    def hold(self, id: str) -> Queue[Call]:
        """The handlers of this event wait until the test ends their call."""
        with self._lock:
            return self._held.setdefault(id, Queue())

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"\n")
        self._thread.join(WAIT)
        self._listener.close()
        for calls in self._calls.values():
            for call in calls:
                call.connection.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(WAIT)
            with connection.makefile("rb") as lines:
                line = lines.readline()
            if line.strip():
                self._take(json.loads(line), connection)
                continue
            connection.close()
            if line:
                return

    def _take(self, told: dict[str, Any], connection: socket.socket) -> None:
        raw = base64.b64decode(told["raw"])
        call = Call(told["id"], told["class"], told["type"], raw, told["pid"], connection)
        with self._lock:
            self._calls.setdefault(call.id, []).append(call)
            held = self._held.get(call.id)
            verdict = "raise" if call.id in self._raising else "ok"
            self._raising.discard(call.id)
        if held is None:
            call.end(verdict)
        else:
            held.put(call)
