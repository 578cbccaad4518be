"""Works with a deduplication store, one operation per line."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import BinaryIO

from lines import BLANKS
from read import failure
from velora import Claim, Store, StoreError, VeloraError, open_store

dumps = json.JSONEncoder(separators=(",", ":")).encode

VERBS = ("claim", "commit", "release", "renew")


def answer_all(asked: Namespace, source: BinaryIO, target: BinaryIO) -> str | None:
    """Answers each line at once. Returns the last line for standard error if there is no
    store, or no reader."""
    try:
        store = open_store(asked.store, timeout=30, lease=asked.lease)
        held: dict[str, Claim] = {}
        for line in source:
            if text := line.strip(BLANKS):
                target.write(dumps(answer(store, text, held)).encode() + b"\n")
                target.flush()
    except VeloraError as error:
        return failure(error.code, None, error.args[0])
    except OSError as error:
        return failure("output", None, str(error))
    return None


def answer(store: Store, line: bytes, held: dict[str, Claim]) -> dict[str, object]:
    """The answer to a line, whatever it is. The leases are held until the end."""
    try:
        # Of bytes, JSON of other encodings would be read too.
        asked = json.loads(line.decode())
        verb, key = asked["op"], asked["key"]
    except (ValueError, TypeError, KeyError):
        return error("invalid_case")
    if verb not in VERBS or not isinstance(key, str):
        return error("invalid_case")
    last = held.get(key)
    try:
        if verb == "claim":
            claim = store.claim(key).__enter__()
            if claim.fresh:
                last = held[key] = claim
            return state(claim.state, last)
        if last is None:
            return state("lease_lost", None)
        getattr(last, verb)()
    except StoreError as fault:
        if fault.code == "lease_lost":
            return state("lease_lost", last)
        return error(fault.code)
    except VeloraError:
        return error("invalid_case")
    return state("ok", last)


def state(word: str, last: Claim | None) -> dict[str, object]:
    epoch = {} if last is None else {"epoch": last.epoch}
    return {"state": word, **epoch}


def error(code: str) -> dict[str, object]:
    return {"state": "error", "code": code}
