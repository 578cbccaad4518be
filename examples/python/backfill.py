"""Closes gaps: receives the deliveries of Velora Health, and regularly exports the events that
should have been delivered, so that an outage loses no event since ``BACKFILL_SINCE``. Both go
through one store, so each event counts once, whichever way it came first.

    pip install velora[fastapi] uvicorn
    VELORA_API_KEY=… VELORA_WEBHOOK_SECRET=… uvicorn backfill:app

``BACKFILL_SINCE`` is the time to start from (by default an hour ago), ``BACKFILL_EVERY`` how
often to export, in seconds (300). Here the claims and the end of the last back-fill are in the
memory of this process. In your own service, keep both in a database.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

from fastapi import FastAPI
from velora import AsyncReceiver, MemoryStore, VeloraError, Verifier
from velora.fastapi import deliveries
from velora.health import AsyncClient, Event

# Each back-fill begins this much before the end of the last one: an event may be listed some
# time after it happened. The store must remember for longer.
OVERLAP = timedelta(minutes=15)
EVERY = float(os.environ.get("BACKFILL_EVERY", "300"))

secrets = os.environ["VELORA_WEBHOOK_SECRET"].split(",")
receiver = AsyncReceiver(Verifier("health", secrets), MemoryStore())


class Unfinished(Exception):
    """Why a back-fill is incomplete."""


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    closing = asyncio.create_task(close_gaps())
    yield
    closing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await closing


app = FastAPI(lifespan=lifespan)


@app.post("/velora-webhook")
@deliveries(receiver)
async def on_delivery(event: Event) -> None:
    handle("delivered", event.id, event.type)


async def close_gaps() -> None:
    since: datetime | str
    since = os.environ.get("BACKFILL_SINCE") or now() - timedelta(hours=1)
    async with AsyncClient.from_env() as client:
        while True:
            until = now()
            try:
                missed = await backfill(client, since, until)
            except (VeloraError, Unfinished) as error:
                # The next back-fill begins where this one began, so nothing is skipped.
                print("back-fill:", error, file=sys.stderr, flush=True)
            else:
                print(f"back-filled up to {until}: {missed} missed", flush=True)
                since = until - OVERLAP
            await asyncio.sleep(EVERY)


async def backfill(client: AsyncClient, since: datetime | str, until: datetime) -> int:
    """Handles every event of the window that has not been handled yet, and counts them."""
    missed = 0
    # The export and not the listing, because it is proven to be complete.
    async for event in client.export(since=since, until=until):
        if event.key is None:
            raise Unfinished("an event without an identity")
        handler = partial(handle, "back-filled", event.event_id, event.action)
        while True:
            told = await receiver.backfill(event.key, handler)
            if told.outcome != "in_flight":
                break
            # Its delivery is being handled right now: wait for the outcome.
            await asyncio.sleep(1)
        if told.code is not None:
            raise Unfinished(told.code) from told.error
        missed += told.outcome == "processed"
    return missed


def handle(how: str, id: str | None, type: str | None) -> None:
    """The actual work. It runs once for each event, whichever way the event came."""
    print(how, type, id, flush=True)


def now() -> datetime:
    return datetime.now().astimezone()
