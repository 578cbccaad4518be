"""Waiting for conditions that other threads or processes bring about."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(holds: Callable[[], bool]) -> None:
    """Waits until this holds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
