"""JSON as Python values, by Python's own reader."""

from __future__ import annotations

import json
from typing import Any


def loads(text: str) -> Any:
    """What a text says that the core has found to be JSON.

    An integer of more digits than Python reads (4,300) is infinite, as ``1e5000`` is: one odd
    number shall neither refuse a delivery nor end a list.
    """
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)
