"""A sender of deliveries, valid or not, as the test asks."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from handlers import SECRET
from velora import Signer

WAIT = 20.0
Pairs = Iterable[tuple[str, str]]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass(frozen=True)
class Made:
    """A delivery to send."""

    id: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


def fresh_id() -> str:
    """An event that no other test delivers."""
    return f"evt_{next(_numbers)}"


def delivery(scheme: str = "health", id: str | None = None) -> Made:
    """A genuine delivery of an event that was never delivered before."""
    id = id or fresh_id()
    if scheme == "health":
        event: dict[str, Any] = {"id": id, "type": "phi.read"}
    else:
        event = {"eventId": id, "eventType": "records.export_ready", "data": {}}
    return signed(scheme, id, json.dumps(event).encode())


def signed(scheme: str, id: str, body: bytes) -> Made:
    made = Signer(scheme, SECRET).sign(body)
    return Made(id, made.body, tuple(made.headers))


def forged(made: Made) -> Made:
    """The same delivery with a signature that does not hold."""
    return Made(made.id, made.body + b" ", made.headers)


def twice(made: Made) -> Made:
    """The same delivery with its signature sent twice."""
    again = [pair for pair in made.headers if pair[0].endswith("-Signature")]
    return Made(made.id, made.body, (*made.headers, *again))


class Sender:
    """Sends to one server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, path: str, made: Made) -> Answer:
        """The whole delivery, with its length."""
        headers = (*made.headers, ("Content-Length", str(len(made.body))))
        return self.raw("POST", path, headers, made.body)

    def send_chunked(self, path: str, made: Made, size: int = 7) -> Answer:
        """The delivery in chunks of so many bytes."""
        headers = (*made.headers, ("Transfer-Encoding", "chunked"))
        parts = [made.body[at : at + size] for at in range(0, len(made.body), size)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return self.raw("POST", path, headers, chunks + b"0\r\n\r\n")

    def ask(self, method: str, path: str) -> Answer:
        return self.raw(method, path, (("Content-Length", "0"),), b"")

    def raw(
        self, method: str, path: str, headers: Pairs, body: bytes, *, close: bool = False
    ) -> Answer:
        """Whatever this gives; with ``close``, nothing more will come from us."""
        with self.open(method, path, headers, body) as connection:
            if close:
                connection.shutdown(socket.SHUT_WR)
            return answer(connection)

    def open(self, method: str, path: str, headers: Pairs, body: bytes) -> socket.socket:
        """The request, and nobody who waits for its answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join([*lines, "", ""]).encode()
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        connection.sendall(head + body)
        return connection


def answer(connection: socket.socket) -> Answer:
    """The answer that stands on this connection."""
    response = http.client.HTTPResponse(connection)
    try:
        response.begin()
        return Answer(response.status, response.headers, response.read().decode())
    finally:
        response.close()
