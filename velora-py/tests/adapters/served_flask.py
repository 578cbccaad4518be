"""The Flask application that the tests deliver to."""

from __future__ import annotations

from flask import Blueprint, Flask, request
from handlers import CURAE, HEALTH, LIMIT, STORE, tell
from velora import Receiver, health
from velora.flask import deliveries

app = Flask(__name__)
# It must not apply to deliveries.
app.config["MAX_CONTENT_LENGTH"] = 16
on_health = Receiver(HEALTH, STORE, body_limit=LIMIT)
on_curae = Receiver(CURAE, STORE, body_limit=LIMIT)

app.add_url_rule("/health", "health", deliveries(on_health, tell), methods=["POST"])
app.add_url_rule("/curae", "curae", deliveries(on_curae, tell), methods=["POST"])

inside = Blueprint("inside", __name__)


@inside.before_request
def look() -> None:
    request.max_content_length = LIMIT
    request.get_data()


@inside.post("/decorated")
@deliveries(on_health)
def decorated(event: health.Event) -> None:
    tell(event)


app.register_blueprint(inside, url_prefix="/read-before")
