"""The receiving side of Velora: verify, deduplicate and answer signed webhook deliveries of
Velora Health, Velora Billing, CuraeAI and Velora TV, and read their APIs.

- ``Verifier`` proves that a raw body comes from its system and is recent.
- ``MemoryStore`` recognises repeated deliveries of an event; ``open_store`` does so in SQLite,
  PostgreSQL or Redis, for more than one process.
- ``Receiver`` and ``AsyncReceiver`` do both, and give each system the response it expects.
  ``velora.fastapi``, ``velora.flask`` and ``velora.django`` serve them.
- ``Signer`` makes deliveries for your tests, byte-identical to production.
- ``velora.health``, ``velora.billing``, ``velora.curae`` and ``velora.tv`` have typed events,
  and a ``Client`` and an ``AsyncClient`` each.

Every ``VeloraError`` has a stable ``code``, the same in every language.
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
from .api import ClientOptions, RateLimit
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
from .events import CustomEvent
from .paging import AsyncItems, Items, Page
from .receiving import (
    AsyncReceiver,
    AsyncWork,
    Backfilled,
    Headers,
    Outcome,
    Receiver,
    Reply,
    Work,
)
from .stores import (
    AsyncCustomStore,
    Claim,
    ClaimIn,
    CustomClaim,
    CustomStore,
    MemoryStore,
    Store,
    open_store,
)

__all__ = [
    "ApiError",
    "AsyncCustomStore",
    "AsyncItems",
    "AsyncReceiver",
    "AsyncWork",
    "Backfilled",
    "Claim",
    "ClaimIn",
    "ClientOptions",
    "Code",
    "ConfigError",
    "CustomClaim",
    "CustomEvent",
    "CustomStore",
    "Delivery",
    "FileError",
    "Headers",
    "Issue",
    "Items",
    "MemoryStore",
    "Outcome",
    "Page",
    "RateLimit",
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
    "Work",
    "__version__",
    "billing",
    "curae",
    "health",
    "open_store",
    "tv",
]
