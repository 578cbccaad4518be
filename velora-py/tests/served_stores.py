"""The places of durable stores: a file, a PostgreSQL and a Redis."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from simulated import ROOT
from velora import Store, open_store

PROGRAM = os.environ.get("VELORA_SERVERS", str(ROOT / "target/debug/velora-servers"))

STORES = ["memory", "sqlite", "postgres", "redis"]
DURABLE = STORES[1:]

PATIENT = {"timeout": 30.0}
"""Longer than a busy machine stands still."""


class Places:
    """Gives out empty places. A server starts when it is first asked for."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._made = 0
        self._process = subprocess.Popen(
            [PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def url(self, kind: str) -> str:
        """The URL of a new place."""
        if kind == "memory":
            return "memory:"
        if kind == "sqlite":
            self._made += 1
            return f"sqlite://{Path(self._folder.name) / f'{self._made}.db'}"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kind}\n")
        self._process.stdin.flush()
        url = self._process.stdout.readline().strip()
        assert url, "the servers could not be started"
        return url

    def store(self, kind: str, **options: float) -> Store:
        """A store in a new place."""
        return open_store(self.url(kind), **PATIENT, **options)

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()
