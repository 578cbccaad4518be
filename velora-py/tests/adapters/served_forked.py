"""Applications whose client and receiver are created and used before the server forks."""

from __future__ import annotations

import os
from itertools import islice

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path
from flask import Flask
from handlers import HEALTH, SECRET, STORE, tell
from velora import Receiver, Signer, health
from velora.django import deliveries as django_deliveries
from velora.flask import deliveries as flask_deliveries

PARENT = "evt_before_the_fork"

client = health.Client(os.environ["API_KEY"], base_url=os.environ["API_URL"])
receiver = Receiver(HEALTH, STORE)


def read() -> None:
    assert len(list(islice(client.events(limit=2), 5))) == 5


def handle(event: health.Event) -> None:
    read()
    tell(event)


# Threads and connections, none of which survive the fork.
read()
before = Signer("health", SECRET).sign(b'{"id":"%s","type":"phi.read"}' % PARENT.encode())
assert receiver.receive(before.body, before.headers, lambda event: None).status == 200

flask = Flask(__name__)
flask.post("/health")(flask_deliveries(receiver, handle))

settings.configure(
    ALLOWED_HOSTS=["localhost"], ROOT_URLCONF=__name__, SECRET_KEY="not a secret"
)
urlpatterns = [path("health", django_deliveries(receiver, handle))]
django = get_wsgi_application()
