"""The receivers in ``examples/python``, each started as its first lines say."""

from __future__ import annotations

import sys

import pytest
from handlers import SECRET
from sending import Sender, delivery, forged
from serving import EXAMPLES, Server

COMMANDS = {
    "fastapi_receiver": ("uvicorn", "--port", "0", "fastapi_receiver:app"),
    "flask_receiver": ("gunicorn", "--threads", "4", "flask_receiver:app"),
    "django_receiver": ("gunicorn", "--threads", "4", "django_receiver:application"),
}


@pytest.mark.parametrize("example", COMMANDS)
def test_the_example_receives(example: str) -> None:
    program, *options = COMMANDS[example]
    listen = ("--bind", "127.0.0.1:0") if program == "gunicorn" else ()
    command = (sys.executable, "-m", program, *listen, *options)
    server = Server(
        command,
        EXAMPLES,
        VELORA_WEBHOOK_SECRET=f"{SECRET},another",
        GUNICORN_CMD_ARGS="--no-control-socket",
    )
    try:
        sender = Sender(server.port)
        made = delivery()
        assert sender.send("/velora-webhook", forged(made)).status == 401
        assert sender.send("/velora-webhook", made).text == "processed"
        assert sender.send("/velora-webhook", made).text == "duplicate"
        server.written(rf"(?m)^phi\.read {made.id}$")
        assert server.log.count(made.id) == 1
    finally:
        server.stop()


def test_there_is_no_other_example() -> None:
    receivers = {path.stem for path in EXAMPLES.glob("*_receiver.py")}
    assert receivers == set(COMMANDS)
