"""The FastAPI application that the tests deliver to."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI
from handlers import CURAE, HEALTH, LIMIT, STORE, atell, tell
from velora import AsyncReceiver, curae, health
from velora.fastapi import deliveries, verified

app = FastAPI()
on_health = AsyncReceiver(HEALTH, STORE, body_limit=LIMIT)
on_curae = AsyncReceiver(CURAE, STORE, body_limit=LIMIT)

app.post("/health")(deliveries(on_health, atell))
app.post("/curae")(deliveries(on_curae, atell))
app.post("/sync/health")(deliveries(on_health, tell))
app.post("/sync/curae")(deliveries(on_curae, tell))


@app.post("/decorated")
@deliveries(on_health)
async def decorated(event: health.Event) -> None:
    """Takes an audit event."""
    await atell(event)


@app.post("/verified/health")
async def own_bookkeeping(
    event: Annotated[health.Event, Depends(verified(HEALTH, body_limit=LIMIT))],
) -> dict[str, str]:
    return {"id": event.id, "class": f"{type(event).__module__}.{type(event).__qualname__}"}


@app.post("/verified/curae")
async def own_curae(
    event: Annotated[curae.Event, Depends(verified(CURAE, body_limit=LIMIT))],
) -> dict[str, str]:
    return {"id": event.id}
