"""A server that sends exactly the bytes that a test tells it to."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from typing import Any

Answer = bytes | None
"""What is sent; ``None`` hangs until the server is stopped."""


class Request:
    """What a client sent."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ", 2)
        pairs = (line.split(": ", 1) for line in lines)
        self.headers = {name.lower(): value for name, value in pairs}
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """Answers each request by a function of its number (from 0) and itself."""

    def __init__(self, answer: Callable[[int, Request], Answer]) -> None:
        self.seen: list[Request] = []
        self._answer = answer
        self._stopped = threading.Event()
        self._asked = threading.Condition()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer._handle(self)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()

    def wait_for_requests(self, count: int) -> None:
        """Waits until so many requests have come."""
        with self._asked:
            assert self._asked.wait_for(lambda: len(self.seen) >= count, 30), self.seen

    def _handle(self, connection: socketserver.StreamRequestHandler) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = connection.rfile.readline()
            if not line:
                return
            head += line
        request = Request(head[:-4], b"")
        request.body = connection.rfile.read(int(request.headers.get("content-length", 0)))
        with self._asked:
            number = len(self.seen)
            self.seen.append(request)
            self._asked.notify_all()
        answer = self._answer(number, request)
        if answer is None:
            self._stopped.wait(60)
            return
        connection.wfile.write(answer)

    def options(self, **options: Any) -> dict[str, Any]:
        """Options of a client of it."""
        return {"base_url": self.url, "backoff": (0.005, 0.05), "read_timeout": 5.0,
                "call_timeout": 30.0, **options}  # fmt: skip

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._listener.shutdown()
        self._listener.server_close()


def answer(status: int, body: Any = b"", **headers: str) -> bytes:
    """An answer: JSON, unless its body is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def hang(number: int, request: Request) -> Answer:
    """Never answers."""
    return None
