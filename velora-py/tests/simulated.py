"""Runs the simulator of the four systems as a program, and provides clients of it."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("VELORA_SIMULATOR", str(ROOT / "target/debug/velora-simulator"))

HEALTH_KEY = "vlk_live_00000001_0123456789abcdef0123456789abcdef"
HEALTH_NO_SCOPE_KEY = "vlk_live_00000005_0123456789abcdef0123456789abcdef"
BILLING_KEY = "vb_live_0123456789abcdef"
CURAE_KEY = "cae_test_0123456789abcdef"
CURAE_NO_SCOPE_KEY = "cae_test_without_scopes"
TV_TOKEN = "velora-tv-token-0123456789abcdef"

EVENTS = "/api/v2/public/audit/events"
EXPORT = "/api/v2/public/audit/export"

WEEK: dict[str, Any] = {"since": "2026-05-01T00:00:00Z", "until": "2026-05-08T00:00:00Z"}


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs without the proxies that the environment names."""


class Simulator:
    """A simulator that runs, and its control calls."""

    def __init__(self, *options: str) -> None:
        command = [PROGRAM, "--port", "0", "--until-stdin-ends", *options]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert first.startswith("listening on "), first
        self.url = first.removeprefix("listening on ").strip()

    def options(self, **options: Any) -> dict[str, Any]:
        """Options of a client that is quick to try again, and quick to lose patience."""
        return {
            "base_url": self.url,
            "backoff": (0.005, 0.05),
            "read_timeout": 2.0,
            "call_timeout": 30.0,
            **options,
        }

    def forget(self) -> None:
        """Disarms all faults, and empties the log of requests."""
        self._ask("DELETE", "faults")
        self._ask("DELETE", "requests")

    def inject(self, kind: str, **more: Any) -> None:
        """Arms a fault: once, unless told otherwise."""
        kind, _, value = kind.partition("=")
        fault = {"kind": kind, **more}
        if value:
            fault["value"] = int(value) if value.isdecimal() else value
        self._ask("POST", "faults", fault)

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """What was asked for, the latest last."""
        found: list[dict[str, Any]] = json.loads(
            self._ask("GET", f"requests?{urlencode({'path': path})}")
        )
        return found

    def truth(self, **window: Any) -> list[str]:
        """The rows that a complete read gives, in an order of their own."""
        query = {
            key: str(value).lower() if value in (True, False) else value
            for key, value in window.items()
        }
        rows = self._ask("GET", f"truth?{urlencode({**query, 'give': 'rows'})}")
        return sorted(rows.decode().splitlines())

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Any other control call."""
        answer = self._ask(method, path, body)
        return json.loads(answer) if answer else None

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sim/{path}", data, method=method)
        with DIRECT.open(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
