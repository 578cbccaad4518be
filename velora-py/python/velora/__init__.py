"""The receiving side of Velora: verify, deduplicate and answer signed webhook deliveries of
Velora Health, Velora Billing, CuraeAI and Velora TV, and read what their APIs serve.

- ``Verifier``: proves that a raw body comes from its system, and is recent.
- ``MemoryStore``: each event once, though it is delivered again and again.
- ``Receiver``, ``AsyncReceiver``: both, with the answer each system wants. ``velora.fastapi``,
  ``velora.flask`` and ``velora.django`` serve them.
- ``Signer``: deliveries for your tests, byte-identical to production.
- ``velora.health``, ``velora.billing``, ``velora.curae``, ``velora.tv``: typed events, and a
  ``Client`` and ``AsyncClient`` each.

Every exception is a ``VeloraError`` with a stable ``code``, the same in every language.
"""

from __future__ import annotations

from . import billing, curae, health, tv
from ._velora import (
    Delivery,
    Scheme,
    SignedDelivery,
    Signer,
    SigningSecret,
    Verifier,
    __version__,
)
from .errors import (
    ApiError,
    Code,
    ConfigError,
    FileError,
    Issue,
    StoreError,
    VeloraError,
    VerificationError,
)
from .receiving import AsyncReceiver, Receiver, Reply
from .stores import Claim, MemoryStore, Store

__all__ = [
    "ApiError",
    "AsyncReceiver",
    "Claim",
    "Code",
    "ConfigError",
    "Delivery",
    "FileError",
    "Issue",
    "MemoryStore",
    "Receiver",
    "Reply",
    "Scheme",
    "SignedDelivery",
    "Signer",
    "SigningSecret",
    "Store",
    "StoreError",
    "VeloraError",
    "VerificationError",
    "Verifier",
    "__version__",
    "billing",
    "curae",
    "health",
    "tv",
]
