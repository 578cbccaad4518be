"""Receives the deliveries of Velora Health with Flask. Copy this file.

    pip install velora[flask] gunicorn
    VELORA_WEBHOOK_SECRET=… gunicorn --threads 4 flask_receiver:app

During a rotation set both secrets, separated by a comma.
"""

from __future__ import annotations

import os

from flask import Flask
from velora import MemoryStore, Receiver, Verifier, health
from velora.flask import deliveries

# The store is in the memory of this process, so start a single worker, with threads.
secrets = os.environ["VELORA_WEBHOOK_SECRET"].split(",")
receiver = Receiver(Verifier("health", secrets), MemoryStore())

app = Flask(__name__)


@app.post("/velora-webhook")
@deliveries(receiver)
def handle(event: health.Event) -> None:
    """Runs once for each event. If it raises, the event comes again. It has ten seconds: put
    slow work into a queue of your own, and return."""
    match event.type:
        case health.EventType.PHI_EXPORT | health.EventType.PHI_DECRYPT:
            who = event.actor.user_id if event.actor else None
            print(f"look at this: {event.type} {event.id} by {who}", flush=True)
        case health.EventType.PHI_READ | health.EventType.PHI_QUERY:
            print(f"{event.type} {event.id}", flush=True)
        case other:
            # A type that this version does not know comes as an `OtherType`.
            print(f"not known yet: {other} {event.id}", flush=True)
