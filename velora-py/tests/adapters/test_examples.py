"""The receivers in ``examples/python``, each started as its first lines say."""

from __future__ import annotations

import re
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from handlers import SECRET
from sending import Sender, delivery, forged
from serving import EXAMPLES, Server
from simulated import EXPORT, HEALTH_KEY

COMMANDS = {
    "fastapi_receiver": ("uvicorn", "--port", "0", "fastapi_receiver:app"),
    "flask_receiver": ("gunicorn", "--threads", "4", "flask_receiver:app"),
    "django_receiver": ("gunicorn", "--threads", "4", "django_receiver:application"),
}


@pytest.fixture
def place() -> Iterator[socket.socket]:
    """A port of loopback that stays the test's own, and at which nobody listens yet."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        yield place


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


BEFORE = 500


def test_the_example_that_closes_gaps_counts_each_event_once(
    simulators: Any, place: socket.socket
) -> None:
    since = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
    simulator = simulators(
        *("--events", str(BEFORE), "--since", since, "--span-seconds", "3000"),
        *("--time-scale", "60000"),
    )
    url = f"http://127.0.0.1:{place.getsockname()[1]}/velora-webhook"
    endpoint = simulator.control("POST", "endpoints", {"system": "health", "url": url})

    def emit() -> str:
        emitted = simulator.control("POST", "emit", {"system": "health", "type": "phi.export"})
        id: str = emitted["event_id"]
        return id

    # Sent while nobody listens: the ladder runs out, and the event is lost but for us.
    lost = emit()
    simulator.control("GET", "settled")
    assert len(simulator.control("GET", "deliveries")) > 1

    server = Server(
        (sys.executable, "-m", "uvicorn", "--fd", str(place.fileno()), "backfill:app"),
        EXAMPLES,
        (place.fileno(),),
        VELORA_WEBHOOK_SECRET=endpoint["secrets"][0],
        VELORA_API_KEY=HEALTH_KEY,
        VELORA_BASE_URL=simulator.url,
        BACKFILL_SINCE=since,
        BACKFILL_EVERY="1",
    )

    def handled() -> dict[str, list[str]]:
        ways = defaultdict(list)
        for how, id in re.findall(r"(?m)^(delivered|back-filled) \S+ (\S+)$", server.log):
            ways[id].append(how)
        return ways

    try:
        server.written(rf"back-filled up to .*: {BEFORE + 1} missed")
        assert len(handled()) == BEFORE + 1
        assert handled()[lost] == ["back-filled"]

        # What is delivered while no back-fill succeeds, the next ones do not count again.
        simulator.inject("status=403", path=EXPORT, always=True)
        server.written(r"(?m)^back-fill: ")
        seen = server.log.count(" missed\n")
        delivered = [emit() for _ in range(5)]
        simulator.control("GET", "settled")
        simulator.forget()
        server.until(lambda log: log.count(" missed\n") >= seen + 2, "next back-fills")
        assert set(re.findall(r": (\d+) missed\n", server.log)[seen:]) == {"0"}
        assert all(handled()[id] == ["delivered"] for id in delivered)
        assert all(len(ways) == 1 for ways in handled().values())
    finally:
        server.stop()


def test_there_is_no_other_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*COMMANDS, "backfill", "audit"}
