"""What was created and used before a fork works in the workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from control import WAIT, Control
from sending import Sender, delivery
from serving import GUNICORN, Server
from simulated import HEALTH_KEY, Simulator


@pytest.mark.parametrize("framework", ["flask", "django"])
def test_two_workers_share_what_was_made_before(
    framework: str, control: Control, simulator: Simulator
) -> None:
    server = Server(
        (*GUNICORN, "--workers", "2", "--worker-class", "sync", f"served_forked:{framework}"),
        CONTROL_PORT=str(control.port),
        API_KEY=HEALTH_KEY,
        API_URL=simulator.url,
    )
    try:
        sender = Sender(server.port)
        both = [delivery(), delivery()]
        held = [control.hold(made.id) for made in both]
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(sender.send, "/health", made) for made in both]
            # Each has read the API in its worker; a worker handles one at a time.
            calls = [queue.get(timeout=WAIT) for queue in held]
            for call in calls:
                call.end()
            answers = [each.result(WAIT) for each in sent]
        assert [answer.text for answer in answers] == ["processed", "processed"]
        assert len({call.pid for call in calls}) == 2

        # What the store held at the fork, both of its copies hold.
        known = delivery(id="evt_before_the_fork")
        assert sender.send("/health", known).text == "duplicate"
    finally:
        server.stop()
