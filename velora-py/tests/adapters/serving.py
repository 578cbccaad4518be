"""Runs servers as processes next to the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[2] / "examples/python"
WAIT = 30.0


@dataclass(frozen=True)
class Adapter:
    """A framework under a server, and what can be expected of the two."""

    name: str
    command: tuple[str, ...]
    prefix: str = ""
    """The path before ``/health`` and ``/curae``."""
    shows_twice: bool = True
    """Whether a header that was sent twice arrives as two."""
    takes_chunks: bool = True
    """Whether the server decodes a chunked body."""
    streams: bool = True
    """Whether the body is read by the view, and not before it."""
    tells_of_half: bool = True
    """Whether a body that ends early reaches the view."""


UVICORN = (sys.executable, "-m", "uvicorn", "--port", "0", "--no-access-log")
GUNICORN = (
    *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--preload"),
    *("--no-control-socket", "--graceful-timeout", "2"),
)
THREADS = ("--worker-class", "gthread", "--threads", "4")
FASTAPI = (*UVICORN, "served_fastapi:app")
FLASK = (*GUNICORN, *THREADS, "served_flask:app")
DJANGO_WSGI = (*GUNICORN, *THREADS, "served_django:wsgi")
DJANGO_ASGI = (*UVICORN, "served_django:asgi")

ADAPTERS = (
    Adapter("fastapi", FASTAPI, tells_of_half=False),
    Adapter("fastapi-sync-handler", FASTAPI, "/sync", tells_of_half=False),
    Adapter("flask", FLASK, shows_twice=False),
    Adapter("django", DJANGO_WSGI, shows_twice=False),
    Adapter(
        "django-server",
        (sys.executable, "serve_django.py"),
        shows_twice=False,
        takes_chunks=False,
    ),
    Adapter("django-asgi", DJANGO_ASGI, "/async", streams=False, tells_of_half=False),
    Adapter(
        "django-asgi-sync-handler",
        DJANGO_ASGI,
        "/in-thread",
        streams=False,
        tells_of_half=False,
    ),
    Adapter("django-asgi-sync-view", DJANGO_ASGI, streams=False, tells_of_half=False),
)


class Server:
    """A server that runs: its port, and what it writes to stderr."""

    def __init__(
        self,
        command: tuple[str, ...],
        folder: Path = HERE,
        inherits: tuple[int, ...] = (),
        **environment: str,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=inherits,
        )
        assert self._process.stdout is not None
        self._log = ""
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    @property
    def port(self) -> int:
        """Where it listens, as soon as it does."""
        return int(self.written(r"(?:running on|Listening at:) http://127\.0\.0\.1:(\d+)")[1])

    @property
    def log(self) -> str:
        """What it has written so far."""
        with self._changed:
            return self._log

    def written(self, pattern: str) -> re.Match[str]:
        """The first place in the log where this stands, now or soon."""
        found: re.Match[str] | None = None

        def stands(log: str) -> bool:
            nonlocal found
            found = re.search(pattern, log)
            return found is not None

        self.until(stands, repr(pattern))
        assert found is not None
        return found

    def until(self, holds: Callable[[str], bool], what: str) -> None:
        """Waits until this holds of the log: that there is ``what``."""
        with self._changed:
            self._changed.wait_for(lambda: holds(self._log) or self._ended, WAIT)
            assert holds(self._log), f"no {what} in:\n{self._log}"

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._reader.join(WAIT)

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                with self._changed:
                    self._log += line
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
