"""Receives the deliveries of Velora Health with Django: a project in one file. Copy the part
between the settings and the URLs into yours.

    pip install velora[django] gunicorn
    VELORA_WEBHOOK_SECRET=… gunicorn --threads 4 django_receiver:application

During a rotation set both secrets, separated by a comma.
"""

from __future__ import annotations

import os

from django.conf import settings  # type: ignore[import-untyped]
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]
from django.urls import path  # type: ignore[import-untyped]
from velora import MemoryStore, Receiver, Verifier, health
from velora.django import deliveries

settings.configure(
    ALLOWED_HOSTS=os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(","),
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "this project signs nothing"),
)

# The store is in the memory of this process, so start a single worker, with threads.
secrets = os.environ["VELORA_WEBHOOK_SECRET"].split(",")
receiver = Receiver(Verifier("health", secrets), MemoryStore())


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


urlpatterns = [path("velora-webhook", deliveries(receiver, handle))]

application = get_wsgi_application()
