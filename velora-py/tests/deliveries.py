"""Deliveries to verify."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from velora import SignedDelivery, Signer, VeloraError

SECRET = "0123456789abcdef" * 4
NOW = 1_717_423_320
BODY = b'{"id":"evt_1","n":1}'
HEALTH_MAC = "eee5b5f8d76f97b123cfe84749225d48e0db85f730646189af34cdbe2f904f46"
"""What the vendor's own example computes for the secret, the instant and the body above."""

SIGNED = {"X-Velora-Signature": f"t={NOW},v1={HEALTH_MAC}"}

EVENT_OF: dict[str, dict[str, Any]] = {
    "health": {"id": "evt_1", "type": "phi.read", "timestamp": "2026-05-03T14:22:01+00:00"},
    "billing": {"type": "dispute.sla_breached", "disputeId": "d_1"},
    "curae": {"eventType": "records.export_ready", "eventId": "evt_1", "data": {}},
    "tv": {"id": "evt_1", "type": "stream.online", "timestamp": "2026-01-18T15:30:00Z",
           "data": {"streamId": "s_1", "userId": "u_1"}},
    "tv-body-only": {"event": "stream.online", "timestamp": "2026-01-18T15:30:00Z", "data": {}},
}  # fmt: skip

SCHEMES = list(EVENT_OF)


def body_of(scheme: str, **more: Any) -> bytes:
    return json.dumps({**EVENT_OF[scheme], **more}, ensure_ascii=False).encode()


def signed(scheme: str = "health", now: float | None = None, **more: Any) -> SignedDelivery:
    """A genuine delivery of the scheme's system."""
    return Signer(scheme, SECRET).sign(body_of(scheme, **more), now)


def code_of(work: Callable[[], object]) -> str:
    """The code that this raises."""
    with pytest.raises(VeloraError) as raised:
        work()
    return raised.value.code
