"""Threads, signals, forks and tasks: how a client behaves in the program around it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from deliveries import SECRET, signed
from either import Either
from forking import FORKING
from scripted import Server, answer, hang
from simulated import BILLING_KEY, HEALTH_KEY, ROOT, TV_TOKEN, WEEK, Simulator
from velora import ApiError, MemoryStore, Receiver, Verifier, billing, health, tv

HANGING = {
    "a call": "client.probe()",
    "a listing": "list(client.events())",
    "an export": "list(client.export(since='2026-05-01T00:00Z', until='2026-05-02T00:00Z'))",
    "a stream": "list(velora.tv.Client('token', **options).events())",
    "an awaited call": "asyncio.run(velora.health.AsyncClient('key', **options).probe())",
}


@pytest.mark.parametrize("work", HANGING.values(), ids=HANGING)
def test_an_interrupt_ends_what_hangs(work: str) -> None:
    # Who started the tests may ignore interrupts, which a child inherits.
    program = f"""
import asyncio, signal, sys
import velora
signal.signal(signal.SIGINT, signal.default_int_handler)
options = {{"base_url": sys.argv[1]}}
client = velora.health.Client("key", **options)
try:
    {work}
except KeyboardInterrupt:
    print("interrupted")
"""
    with Server(hang) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", program, server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        server.wait_for_requests(1)
        process.send_signal(signal.SIGINT)
        # An attempt that is not interrupted gives up only after 30 seconds.
        out, err = process.communicate(timeout=15)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)


def test_a_handler_of_a_signal_runs_while_a_call_waits() -> None:
    handled = threading.Event()

    def answered(number: int, request: Any) -> Any:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert handled.wait(30)
        return answer(200, {"events": [], "page": {"has_more": False}})

    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    try:
        with Server(answered) as server:
            health.Client("key", **server.options()).probe()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert handled.is_set()


def test_other_threads_run_while_a_call_waits(either: Either) -> None:
    """The server is a thread of this program: it could not answer otherwise."""
    ran: list[int] = []

    def answered(number: int, request: Any) -> bytes:
        ran.append(sum(range(100_000)))
        return answer(200, {"events": [], "page": {"has_more": False}})

    with Server(answered) as server:
        client = either.client(health, "key", **server.options())
        for _ in range(3):
            client.probe()
    assert len(ran) == 3


def test_a_client_is_shared_between_threads(simulator: Simulator) -> None:
    client = health.Client(HEALTH_KEY, **simulator.options())
    window = {"since": "2026-05-02T00:00:00Z", "until": "2026-05-02T06:00:00Z"}
    truth = simulator.truth(**window)

    def read(number: int) -> bool:
        events = client.export(**window) if number % 2 else client.events(**window, limit=300)
        return sorted(event.line for event in events) == truth

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, range(16), timeout=60))


def test_one_stream_gives_each_item_to_one_thread(simulator: Simulator) -> None:
    pages = health.Client(HEALTH_KEY, **simulator.options()).events(**WEEK, limit=1000)

    def read(number: int) -> list[str]:
        return [event.line for page in pages.pages() for event in page]

    with ThreadPoolExecutor(4) as threads:
        read_by = list(threads.map(read, range(4), timeout=60))
    assert sorted(line for lines in read_by for line in lines) == simulator.truth(**WEEK)


def test_what_is_cancelled_ends() -> None:
    async def cancelled(work: Any, server: Server) -> None:
        before = len(server.seen)
        task = asyncio.ensure_future(work)
        while len(server.seen) == before:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 2)

    async def main(server: Server) -> None:
        client = health.AsyncClient("key", **server.options())
        await cancelled(client.probe(), server)
        await cancelled(anext(client.events()), server)
        await cancelled(anext(client.export(**WEEK)), server)
        await cancelled(billing.AsyncClient("k", **server.options()).recon_summary(), server)
        stream = tv.AsyncClient("token", **server.options()).events()
        await cancelled(anext(stream), server)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.probe(), 0.05)

    with Server(hang) as server:
        asyncio.run(asyncio.wait_for(main(server), 30))


def test_what_was_read_is_not_lost_with_a_wait_that_was_cancelled(simulator: Simulator) -> None:
    """A short result is never passed off as whole."""

    async def main() -> list[str]:
        client = health.AsyncClient(HEALTH_KEY, **simulator.options())
        events, seen, patience = client.export(**WEEK), [], 0.001
        while True:
            try:
                seen.append((await asyncio.wait_for(anext(events), patience)).line)
            except asyncio.TimeoutError:
                patience *= 1.5
            except StopAsyncIteration:
                return seen

    found = asyncio.run(asyncio.wait_for(main(), 30))
    assert sorted(found) == simulator.truth(**WEEK)


def test_a_call_outlives_no_loop() -> None:
    with Server(hang) as server:

        async def main() -> None:
            client = health.AsyncClient("key", **server.options())
            asyncio.ensure_future(client.probe())  # noqa: RUF006
            await asyncio.sleep(0.05)

        asyncio.run(main())
        gc.collect()
        # The next loop is not disturbed.
        asyncio.run(main())


def test_one_client_serves_one_loop_after_the_other(simulator: Simulator) -> None:
    client = health.AsyncClient(HEALTH_KEY, **simulator.options())
    for _ in range(3):
        assert asyncio.run(client.probe()) is None


def test_an_awaited_call_needs_a_loop() -> None:
    client = health.AsyncClient("key", base_url="http://127.0.0.1:9")
    probe = client.probe()
    with pytest.raises(RuntimeError):
        probe.send(None)


FORKED = """
import os, sys, threading
sys.path.insert(0, {tests!r})
import velora
from deliveries import SECRET, signed

client = velora.health.Client(sys.argv[2], base_url=sys.argv[1])
reader = velora.tv.Client(sys.argv[3], base_url=sys.argv[1])
verifier, store = velora.Verifier("health", SECRET), velora.MemoryStore()
receiver = velora.Receiver(verifier, store)
window = dict(since="2026-05-02T00:00:00Z", until="2026-05-02T06:00:00Z")

def work():
    client.probe()
    listed = sorted(event.line for event in client.events(**window, limit=500))
    exported = sorted(event.line for event in client.export(**window))
    assert listed == exported and listed
    assert isinstance(next(reader.events()), velora.tv.Connected)
    delivery = signed()
    return receiver.receive(delivery.body, delivery.headers, lambda event: None).outcome

assert work() == "processed"
begun = client.events(**window, limit=10)
next(begun)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        try:
            assert work() == "duplicate"
            try:
                list(begun.pages())
                os._exit(2)
            except velora.ApiError as error:
                assert error.code == "connection"
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    children.append(child)
assert work() == "duplicate"
assert len(list(begun)) > 100
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(codes)
"""


def test_a_process_that_was_forked_works(simulator: Simulator) -> None:
    program = FORKED.format(tests=str(ROOT / "velora-py/tests"))
    options = [*FORKING, "-c", program, simulator.url, HEALTH_KEY, TV_TOKEN]
    arguments = [sys.executable, *options]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("[0, 0, 0]\n", "", 0)


NUMBERED = """
import os, sys
import velora

client = velora.curae.Client("cae_test_key", base_url=sys.argv[1])

def work():
    for _ in range(3):
        client.webhooks.create("https://example.com/hook", ["patient.created"])

work()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    children.append(child)
work()
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def test_no_id_of_a_forked_process_is_that_of_another() -> None:
    made = {"data": {"id": "whe_1", "signingSecret": "whsec_x"}}
    with Server(lambda number, request: answer(201, made)) as server:
        arguments = [sys.executable, *FORKING, "-c", NUMBERED, server.url]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        seen = [request.headers for request in server.seen]
    assert (done.stdout, done.stderr, done.returncode) == ("[0, 0, 0, 0]\n", "", 0)
    # The milliseconds in a key may differ where nothing else does.
    keys = {headers["idempotency-key"].split("-")[0] for headers in seen}
    ids = {headers["x-request-id"] for headers in seen}
    assert (len(seen), len(keys), len(ids)) == (18, 18, 18)


NAMED = """
import os, sys
import velora

os.environ["VELORA_API_KEY"] = "first"
client = velora.health.Client.from_env(base_url=sys.argv[1])
del os.environ["VELORA_API_KEY"]
os.environ.update(arg.split("=") for arg in sys.argv[2:])
child = os.fork()
code = 1
try:
    client.probe()
    code = 0
finally:
    if child == 0:
        os._exit(code)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("changes", [[], ["VELORA_API_KEY=second"]])
def test_a_forked_process_has_the_key_that_was_in_the_environment(changes: list[str]) -> None:
    with Server(lambda number, request: answer(200, {"events": []})) as server:
        arguments = [sys.executable, *FORKING, "-c", NAMED, server.url, *changes]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        keys = [request.headers["authorization"] for request in server.seen]
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)
    assert keys == ["Bearer first", "Bearer first"]


def test_a_program_ends_though_a_thread_still_waits() -> None:
    program = """
import sys, threading, velora
client = velora.health.Client("key", base_url=sys.argv[1])
threading.Thread(target=client.probe, daemon=True).start()
sys.stdin.readline()
"""
    with Server(hang) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", program, server.url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        server.wait_for_requests(1)
        _, err = process.communicate(b"\n", timeout=10)
    assert (err, process.returncode) == (b"", 0)


def test_nothing_is_kept_of_what_is_over(simulator: Simulator) -> None:
    """A handler, a report and what they hold are let go of."""

    class Held:
        pass

    def run() -> Any:
        import weakref

        held = Held()
        delivery = signed()
        receiver = Receiver(Verifier("health", SECRET), MemoryStore())
        receiver.receive(delivery.body, delivery.headers, lambda event, held=held: None)
        client = billing.Client(BILLING_KEY, **simulator.options())
        with pytest.raises(ApiError):
            client.refire_failed("none", on_progress=lambda progress, held=held: None)
        return weakref.ref(held)

    reference = run()
    gc.collect()
    assert reference() is None
