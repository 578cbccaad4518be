"""The contract of a store, on all four and on one of the caller's own: what the core's suite
asks, asked from Python."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from forking import FORKING
from rows import Rows, custom
from served_stores import DURABLE, PATIENT, STORES, Places
from simulated import ROOT
from velora import (
    Claim,
    ConfigError,
    MemoryStore,
    Receiver,
    Signer,
    Store,
    StoreError,
    Verifier,
    open_store,
)

KEY = "health:evt_1:phi.read"

LEASE = 5.0
"""Longer than a busy machine stands still between two calls."""

SHORT = 0.1
"""A lease that is meant to run out."""


class Verbs:
    """The verbs of a store, of one kind of call, as values."""

    def __init__(self, either: Either, store: Store) -> None:
        self.either = either
        self.store = store

    def claim(self, key: str = KEY) -> Claim:
        """A claim that is made, and left as it is."""
        claim = self.store.claim(key)
        if self.either.is_async:
            self.either.run(claim.__aenter__())
        else:
            claim.__enter__()
        return claim

    def end(self, claim: Claim, how: str) -> str:
        """``ok``, or the code of why not."""
        try:
            if self.either.is_async:
                self.either.run(getattr(claim, f"a{how}")())
            else:
                getattr(claim, how)()
        except StoreError as error:
            return str(error.code)
        return "ok"

    def lost(self, claim: Claim) -> None:
        assert {self.end(claim, how) for how in ["renew", "release", "commit"]} == {
            "lease_lost"
        }


Open = Callable[..., Verbs]


@pytest.fixture(params=[*STORES, "custom"])
def opened(request: Any, places: Places, either: Either) -> Open:
    def opened(**options: float) -> Verbs:
        if request.param == "custom":
            return Verbs(either, custom(Rows(**options), either.is_async))
        store = places.store(request.param, **options)
        if either.is_async:
            either.run(store.aready())
        else:
            store.ready()
        return Verbs(either, store)

    return opened


def epoch(claim: Claim) -> int:
    assert claim.state == "fresh"
    assert claim.epoch is not None
    return claim.epoch


def test_a_claim_is_fresh_once(opened: Open) -> None:
    verbs = opened(lease=LEASE)
    epoch(verbs.claim())
    again = verbs.claim()
    assert again.state == "in_flight"
    assert again.retry_after is not None
    assert 0 < again.retry_after <= LEASE
    epoch(verbs.claim("other"))


def test_a_commit_is_done(opened: Open) -> None:
    verbs = opened(lease=SHORT)
    claim = verbs.claim()
    assert verbs.end(claim, "commit") == "ok"
    assert verbs.claim().state == "done"
    verbs.lost(claim)
    time.sleep(2 * SHORT)
    assert verbs.claim().state == "done"


def test_a_release_is_free_again(opened: Open) -> None:
    verbs = opened()
    first = verbs.claim()
    assert verbs.end(first, "release") == "ok"
    verbs.lost(first)
    assert epoch(verbs.claim()) > epoch(first)
    verbs.lost(first)


def test_a_lease_that_ran_out_is_taken_over(opened: Open) -> None:
    verbs = opened(lease=SHORT)
    first = verbs.claim()
    time.sleep(2 * SHORT)
    second = verbs.claim()
    assert epoch(second) > epoch(first)
    verbs.lost(first)
    assert verbs.end(second, "commit") == "ok"
    verbs.lost(first)


def test_a_lease_that_ran_out_may_commit_while_nobody_took_it(opened: Open) -> None:
    verbs = opened(lease=SHORT)
    claim = verbs.claim()
    time.sleep(2 * SHORT)
    assert verbs.end(claim, "renew") == "ok"
    assert verbs.end(claim, "commit") == "ok"
    assert verbs.claim().state == "done"


def test_a_renewed_lease_begins_anew(opened: Open) -> None:
    verbs = opened(lease=LEASE)
    claim = verbs.claim()
    time.sleep(2)
    before = verbs.claim().retry_after
    assert verbs.end(claim, "renew") == "ok"
    after = verbs.claim().retry_after
    assert before is not None
    assert after is not None
    assert 0 < before < after <= LEASE


def test_what_is_done_is_forgotten_after_its_retention(opened: Open) -> None:
    verbs = opened(lease=SHORT, dangerous_short_retention=4 * SHORT)
    first = verbs.claim()
    assert verbs.end(first, "commit") == "ok"
    time.sleep(6 * SHORT)
    assert epoch(verbs.claim()) != epoch(first)
    verbs.lost(first)


def test_a_key_is_any_text(opened: Open) -> None:
    verbs = opened(lease=LEASE)
    keys = ["", "a", "A", "a ", "日本", "%", "'", "\0", "}", "k" * 10_000, "k" * 10_001]
    for key in keys:
        epoch(verbs.claim(key))
    assert code_of(lambda: verbs.claim("\ud800")) == "invalid_option"


def test_one_of_many_threads_gets_the_event(places: Places) -> None:
    for kind in DURABLE:
        url = places.url(kind)
        start = threading.Barrier(8)

        def claimed(number: int, url: str = url, start: Any = start) -> int:
            store = open_store(url, **PATIENT)
            start.wait(60)
            fresh = 0
            for at in range(10):
                with store.claim(f"key {at}") as claim:
                    fresh += claim.fresh
            return fresh

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(claimed, range(8), timeout=100)) == 10, kind


def test_a_block_commits_and_releases(opened: Open) -> None:
    store = opened().store

    async def blocks() -> str:
        with pytest.raises(KeyError):
            async with store.claim(KEY):
                raise KeyError
        async with store.claim(KEY) as claim:
            assert claim.fresh
        async with store.claim(KEY) as claim:
            return claim.state

    assert asyncio.run(blocks()) == "done"


def test_what_is_closed_forgets_nothing(opened: Open) -> None:
    verbs = opened(lease=LEASE)
    done, held = verbs.claim("done"), verbs.claim("held")
    assert verbs.end(done, "commit") == "ok"
    verbs.store.close()
    assert (verbs.claim("done").state, verbs.claim("held").state) == ("done", "in_flight")
    assert verbs.end(held, "commit") == "ok"


def test_a_file_is_closed_with_its_store(tmp_path: Path) -> None:
    store = open_store(f"sqlite://{tmp_path / 'claims.db'}", **PATIENT)
    with store.claim(KEY):
        assert (tmp_path / "claims.db-wal").exists()
    store.close()
    end = time.monotonic() + 30
    while (tmp_path / "claims.db-wal").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_receiver_stands_on_any_store(places: Places) -> None:
    for kind in STORES:
        receiver = Receiver(Verifier("health", "secret"), places.store(kind))
        signed = Signer("health", "secret").sign(b'{"id":"evt_1","type":"phi.read"}')
        outcomes = [
            receiver.receive(signed.body, signed.headers, lambda event: None).outcome
            for _ in range(2)
        ]
        assert outcomes == ["processed", "duplicate"], kind


OUT_OF_REACH = [
    "postgres://user:hunter2@127.0.0.1:1/shop",
    "redis://user:hunter2@127.0.0.1:1",
    "sqlite:///nowhere/claims.db",
]


@pytest.mark.parametrize("kind", DURABLE)
def test_each_of_two_tenants_gets_an_event_of_both(kind: str, places: Places) -> None:
    url = places.url(kind)
    handled: list[str] = []

    def receive(tenant: str) -> str:
        secret = f"the secret of {tenant}"
        store = open_store(url, namespace=tenant, **PATIENT)
        signed = Signer("health", secret).sign(b'{"id":"evt_1","type":"phi.read"}')
        receiver = Receiver(Verifier("health", secret), store)
        return receiver.receive(
            signed.body, signed.headers, lambda _: handled.append(tenant)
        ).outcome

    outcomes = [receive(tenant) for tenant in ["north", "south", "north"]]
    assert outcomes == ["processed", "processed", "duplicate"]
    assert handled == ["north", "south"]


@pytest.mark.parametrize("url", OUT_OF_REACH)
def test_a_store_out_of_reach_is_answered_with_503(url: str, either: Either) -> None:
    store = open_store(url)
    receiver = either.receiver(Verifier("health", "secret"), store)
    signed = Signer("health", "secret").sign(b'{"id":"evt_1","type":"phi.read"}')
    reply = receiver.receive(signed.body, signed.headers, either.handler(print))
    assert (reply.status, reply.outcome, reply.retry_after) == (503, "store_unavailable", 5)
    with pytest.raises(StoreError) as raised:
        store.ready()
    assert raised.value.code == "store_unavailable"
    assert "hunter2" not in f"{raised.value!r} {raised.value} {store!r}"


def test_options_and_their_errors() -> None:
    for url, options, code in [
        ("", {}, "invalid_option"),
        ("mysql://user:hunter2@host/shop", {}, "invalid_option"),
        ("postgres://user:hunter2@", {}, "invalid_option"),
        ("redis://user:hunter2@host:port", {}, "invalid_option"),
        ("sqlite://", {}, "invalid_option"),
        ("memory:", {"timeout": 0.01}, "invalid_option"),
        ("memory:", {"timeout": 61}, "invalid_option"),
        ("memory:", {"connections": 0}, "invalid_option"),
        ("memory:", {"connections": 1 << 70}, "invalid_option"),
        ("memory:", {"namespace": ""}, "invalid_option"),
        ("memory:", {"namespace": "a/b"}, "invalid_option"),
        ("memory:", {"namespace": "n" * 65}, "invalid_option"),
        ("memory:", {"lease": 0}, "invalid_lease"),
        ("memory:", {"retention": 60}, "invalid_retention"),
    ]:
        with pytest.raises(ConfigError) as raised:
            open_store(url, **options)
        assert raised.value.code == code, url
        assert "hunter2" not in f"{raised.value!r} {raised.value}"
    for odd in [{"colour": "red"}, {"lease": "60"}, {"capacity": 5}, {"namespace": 5}]:
        (name,) = odd
        with pytest.raises(TypeError, match=f"[`']{name}[`']"):
            open_store("memory:", **odd)
    with pytest.raises(TypeError, match="`url`"):
        open_store(None)


def test_a_store_is_shown_without_its_place() -> None:
    shown = [repr(open_store(f"{kind}://user:canary@canary/0")) for kind in SERVED]
    assert shown == [f"Store({kind})" for kind in SERVED]
    assert repr(open_store("sqlite:///canary.db")) == "Store(sqlite)"
    assert repr(open_store("memory:")) == "Store(memory)"
    assert repr(Store.of(Rows())) == "Store(Rows)"
    assert repr(MemoryStore()) == "MemoryStore(0 keys)"


SERVED = ["postgres", "postgresql", "redis", "rediss"]

FORKED = """
import os, sys
import velora

store = velora.open_store(sys.argv[1], timeout=30)
with store.claim("before") as claim:
    assert claim.fresh

def work(name):
    with store.claim("before") as claim:
        assert claim.state == "done"
    with store.claim(name) as claim:
        assert claim.fresh

children = []
for name in ["one", "other"]:
    child = os.fork()
    if child == 0:
        try:
            work(name)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    children.append(child)
work("parent")
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


@pytest.mark.parametrize("kind", DURABLE)
def test_a_process_that_was_forked_has_connections_of_its_own(
    kind: str, places: Places
) -> None:
    arguments = [sys.executable, *FORKING, "-c", FORKED, places.url(kind)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr, done.returncode) == ("[0, 0]\n", "", 0)


@pytest.mark.parametrize("kind", STORES)
def test_the_command_answers_each_verb(kind: str, places: Places) -> None:
    import json

    lines = ["commit", "claim", "claim", "renew", "release", "release", "claim", "commit"]
    lines = [json.dumps({"op": op, "key": "k"}) for op in [*lines, "claim"]]
    lines += ["no case", "", '{"op":"dance","key":"k"}', "[]", '{"op":"claim","key":5}']
    lines += ["\v", "\ufeff" + lines[0]]
    done = subprocess.run(
        [str(ROOT / "conformance/run"), "python", "claim", "--store", places.url(kind)],
        input="\n".join(lines), capture_output=True, text=True, timeout=100,
        env=os.environ,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expected = ["lease_lost", "fresh", "in_flight", "ok", "ok", "lease_lost", "fresh", "ok"]
    assert [answer["state"] for answer in answers] == [*expected, "done", *["error"] * 6]
    assert answers[1]["epoch"] < answers[6]["epoch"]
    assert {answer.get("code") for answer in answers[9:]} == {"invalid_case"}


@pytest.mark.parametrize("url", OUT_OF_REACH)
def test_the_command_says_that_the_store_is_out_of_reach(url: str) -> None:
    command = [str(ROOT / "conformance/run"), "python", "claim", "--store"]
    done = subprocess.run(
        [*command, url], input='{"op":"claim","key":"k"}\n',
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.stdout == '{"state":"error","code":"store_unavailable"}\n'
    done = subprocess.run([*command, "nowhere"], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (1, "")
    assert '"invalid_option"' in done.stderr.splitlines()[-1]
