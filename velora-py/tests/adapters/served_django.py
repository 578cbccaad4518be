"""The Django project that the tests deliver to."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from handlers import CURAE, HEALTH, LIMIT, STORE, atell, tell
from velora import AsyncReceiver, Receiver, health
from velora.django import deliveries

settings.configure(
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not a secret",
    # It must not apply to deliveries.
    DATA_UPLOAD_MAX_MEMORY_SIZE=16,
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware", f"{__name__}.reads_before"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(tempfile.mkdtemp()) / "db.sqlite3"),
            "ATOMIC_REQUESTS": True,
        }
    },
)
View = Callable[[HttpRequest], HttpResponse]


def reads_before(get_response: View) -> View:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/read-before":
            settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT
            assert request.body
        return get_response(request)

    return middleware


def writes(event: health.Event) -> None:
    """Leaves a row, then does as it is told."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT)")
        cursor.execute("INSERT INTO seen VALUES (%s)", [event.id])
    tell(event)


def seen(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT)")
        cursor.execute("SELECT id FROM seen")
        return HttpResponse(" ".join(id for (id,) in cursor.fetchall()))


on_health = Receiver(HEALTH, STORE, body_limit=LIMIT)
on_curae = Receiver(CURAE, STORE, body_limit=LIMIT)
async_health = AsyncReceiver(HEALTH, STORE, body_limit=LIMIT)
async_curae = AsyncReceiver(CURAE, STORE, body_limit=LIMIT)

urlpatterns = [
    path("health", deliveries(on_health, tell)),
    path("curae", deliveries(on_curae, tell)),
    path("async/health", deliveries(async_health, atell)),
    path("async/curae", deliveries(async_curae, atell)),
    path("in-thread/health", deliveries(async_health, tell)),
    path("in-thread/curae", deliveries(async_curae, tell)),
    path("writes", deliveries(on_health)(writes)),
    path("in-thread/writes", deliveries(async_health)(writes)),
    path("read-before", deliveries(on_health, tell)),
    path("seen", seen),
]

django.setup()
sys.modules.setdefault("served_django", sys.modules[__name__])
wsgi = get_wsgi_application()
asgi = get_asgi_application()
