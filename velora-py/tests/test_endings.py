"""Work in progress when something ends: a program, a wait, a list, a process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from deliveries import code_of
from patience import until
from simulated import EVENTS, HEALTH_KEY, TV_TOKEN, WEEK, Simulator
from velora import health, tv

PROGRAM = """
import asyncio, sys
from velora.health import AsyncClient

async def main(url, key, how):
    async with AsyncClient(key, base_url=url) as client:
        if how == "probe":
            await client.probe()
        elif how == "list":
            assert len([event async for event in client.events(limit=500)]) > 0
        elif how == "leave":
            async for event in client.events(limit=100):
                return
        else:
            asyncio.ensure_future(client.probe())
            await asyncio.sleep(0)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("how", ["probe", "list", "leave", "abandon"])
def test_a_program_ends_in_peace(simulator: Simulator, how: str) -> None:
    """A thread that is in Python when the interpreter ends would bring it down."""

    def run(_: int) -> tuple[int, str]:
        command = [sys.executable, "-c", PROGRAM, simulator.url, HEALTH_KEY, how]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr

    with ThreadPoolExecutor(4) as starters:
        assert set(starters.map(run, range(12))) == {(0, "")}


def test_a_call_may_be_made_in_a_report(simulator: Simulator, tmp_path: Path) -> None:
    found: list[Any] = []
    with health.Client(HEALTH_KEY, **simulator.options()) as client:

        def look(progress: health.Progress) -> None:
            found.append(next(client.events(**WEEK, limit=1)))

        manifest = client.export_to_file(tmp_path / "week.ndjson", **WEEK, on_progress=look)
    assert manifest.rows > 0
    assert found
    assert set(found) == {found[0]}


WAITING = """
import asyncio
from velora import tv

async def token():
    await asyncio.Event().wait()

async def begun():
    stream = tv.AsyncClient(token, base_url="http://127.0.0.1:9").events()
    try:
        await asyncio.wait_for(anext(stream), 0.2)
    except asyncio.TimeoutError:
        return stream

stream = asyncio.new_event_loop().run_until_complete(begun())
"""


def test_a_program_ends_in_peace_while_a_token_is_waited_for() -> None:
    command = [sys.executable, "-c", WAITING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


SUBINTERPRETER = """
import asyncio, sys, tempfile

if sys.argv[1] == "after":
    import velora

try:
    import _interpreters
    inner = _interpreters.create("legacy")
    def imported():
        return _interpreters.run_string(inner, "import velora") is None
    end = _interpreters.destroy
except ImportError:
    import _xxsubinterpreters
    inner = _xxsubinterpreters.create()
    def imported():
        try:
            _xxsubinterpreters.run_string(inner, "import velora")
        except _xxsubinterpreters.RunFailedError as error:
            return "ImportError" not in str(error)
        return True
    end = _xxsubinterpreters.destroy

assert not imported()
if sys.argv[2] == "ended":
    end(inner)

import velora

async def receive():
    with tempfile.TemporaryDirectory() as folder:
        store = velora.open_store(f"sqlite://{folder}/claims.db")
        receiver = velora.AsyncReceiver(velora.Verifier("tv", "secret"), store)
        signed = velora.Signer("tv", "secret").sign(b'{"id":"evt_1","type":"a.b"}')
        reply = await receiver.receive(signed.body, signed.headers, lambda event: None)
        assert reply.outcome == "processed", reply

asyncio.run(receive())
"""


@pytest.mark.parametrize("imported", ["before", "after"])
@pytest.mark.parametrize("ended", ["ended", "left"])
def test_a_subinterpreter_is_refused_and_harms_nothing(imported: str, ended: str) -> None:
    """Its end would be taken for that of the process, and the process would not end."""
    command = [sys.executable, "-c", SUBINTERPRETER, imported, ended]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_reports_are_heard_where_the_call_waits(simulator: Simulator, tmp_path: Path) -> None:
    threads: set[int] = set()
    with health.Client(HEALTH_KEY, **simulator.options()) as client:
        client.export_to_file(
            tmp_path / "week.ndjson",
            **WEEK,
            on_progress=lambda progress: threads.add(threading.get_ident()),
        )
    assert threads == {threading.get_ident()}


def test_a_stream_is_ended_by_another_thread(simulator: Simulator) -> None:
    with tv.Client(TV_TOKEN, **simulator.options()) as client, client.events() as stream:
        assert isinstance(next(stream), tv.Connected)
        ended: list[list[Any]] = []
        listener = threading.Thread(target=lambda: ended.append(list(stream)))
        listener.start()
        time.sleep(0.05)  # It waits.
        stream.close()
        listener.join(30)
        assert not listener.is_alive()
        assert ended == [[]]
        # The connection, too, before the last name of it ends.
        until(lambda: simulator.control("GET", "tv/streams")["open"] == 0)


def test_a_list_that_another_thread_closes_is_no_whole_one(simulator: Simulator) -> None:
    simulator.inject("hang", path=EVENTS, always=True)
    with health.Client(HEALTH_KEY, **simulator.options(read_timeout=30.0)) as client:
        events = client.events(**WEEK)
        codes: list[str] = []
        reader = threading.Thread(target=lambda: codes.append(code_of(lambda: list(events))))
        reader.start()
        until(lambda: len(simulator.requests()) >= 1)  # It waits.
        events.close()
        reader.join(30)
    assert codes == ["connection"]


def test_a_list_that_was_interrupted_goes_on(simulator: Simulator) -> None:
    with health.Client(HEALTH_KEY, **simulator.options()) as client:
        whole = [event.raw for event in client.events(**WEEK, limit=500)]
        events, seen = client.events(**WEEK, limit=500), []
        for _ in range(3):
            for event in events:
                seen.append(event.raw)
                if len(seen) % 777 == 0:
                    break
        seen.extend(event.raw for event in events)
    assert seen == whole


def test_what_failed_fails_again(simulator: Simulator) -> None:
    simulator.inject("status=403", always=True)
    with health.Client(HEALTH_KEY, **simulator.options()) as client:
        events = client.export(**WEEK)
        for _ in range(3):
            assert code_of(lambda: next(events)) == "forbidden"
        events.close()
        assert code_of(lambda: next(events)) == "forbidden"
