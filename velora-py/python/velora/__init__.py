"""The receiving side of Velora: verify, deduplicate and answer signed webhook deliveries of
Velora Health, Velora Billing, CuraeAI and Velora TV, and read what their APIs serve.

- ``Verifier``: proves that a raw body comes from its system, and is recent.
- ``MemoryStore``: each event once, though it is delivered again and again; ``open_store``: in
  SQLite, PostgreSQL or Redis, for more than one process.
- ``Receiver``, ``AsyncReceiver``: both, with the answer each system wants. ``velora.fastapi``,
  ``velora.flask`` and ``velora.django`` serve them.
- ``Signer``: deliveries for your tests, byte-identical to production.
- ``velora.health``, ``velora.billing``, ``velora.curae``, ``velora.tv``: typed events, and a
  ``Client`` and ``AsyncClient`` each.

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
