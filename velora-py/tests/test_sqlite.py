"""The SQLite store uses Python's own SQLite, next to the program's connections."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from forking import FORKING
from served_stores import PATIENT, Places
from velora import StoreError, _sqlite, open_store


def ran(program: str, *arguments: str) -> tuple[str, str, int]:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *FORKING, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.stdout, done.stderr, done.returncode


def test_claims_and_rows_of_the_program_are_kept_side_by_side(places: Places) -> None:
    url = places.url("sqlite")
    store = open_store(url, **PATIENT)
    store.ready()
    shop = sqlite3.connect(url.removeprefix("sqlite://"), timeout=30)
    shop.execute("CREATE TABLE rows (number INTEGER)")

    def claim(number: int) -> str:
        with store.claim(f"key {number}") as claim:
            return claim.state

    with ThreadPoolExecutor(4) as threads:
        states = threads.map(claim, range(200))
        for number in range(200):
            with shop:
                shop.execute("INSERT INTO rows VALUES (?)", (number,))
            # A connection that is closed must not take the locks of others along.
            sqlite3.connect(url.removeprefix("sqlite://")).close()
        assert set(states) == {"fresh"}
    assert {claim(number) for number in range(200)} == {"done"}
    assert shop.execute("SELECT count(*) FROM rows").fetchone() == (200,)
    shop.close()


CLAIMING = """
import os, sys, threading
import velora

store = velora.open_store(sys.argv[1], timeout=30)
over, claimed = threading.Event(), []

def claim(name):
    with store.claim(name) as claim:
        return claim.state

def work():
    while not over.is_set():
        claimed.append(claim(f"parent {len(claimed)}"))

workers = threading.Thread(target=work)
workers.start()
codes = []
for number in range(20):
    while len(claimed) < 5 * number:
        pass
    child = os.fork()
    if child == 0:
        states = [claim(f"child {number}.{at}") for at in range(5)]
        os._exit(0 if states == ["fresh"] * 5 else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
over.set()
workers.join()
assert set(claimed) == {"fresh"}, claimed
assert {claim(f"parent {at}") for at in range(len(claimed))} == {"done"}
assert {claim(f"child {number}.{at}") for number in range(20) for at in range(5)} == {"done"}
print(set(codes))
"""


def test_a_fork_finds_no_write_under_way(places: Places) -> None:
    assert ran(CLAIMING, places.url("sqlite")) == ("{0}\n", "", 0)


MOVED = """
import os, sys
import velora

os.chdir(sys.argv[1])
store = velora.open_store("sqlite://claims.db", timeout=30)
with store.claim("key") as claim:
    assert claim.fresh
os.mkdir("elsewhere")
os.chdir("elsewhere")
child = os.fork()
with store.claim("key") as claim:
    state = claim.state
if child == 0:
    os._exit(0 if state == "done" else 1)
assert os.waitpid(child, 0)[1] == 0
assert os.listdir(".") == []
print(state)
"""


def test_a_relative_path_is_one_file_for_ever(tmp_path: Path) -> None:
    assert ran(MOVED, str(tmp_path)) == ("done\n", "", 0)


INHERITING = """
import _imp, ctypes, os, sqlite3, sys
import velora

url, how = sys.argv[1:]
store = velora.open_store(url, timeout=30)
with store.claim("before"):
    pass
own = sqlite3.connect(url.removeprefix("sqlite://"))
own.execute("SELECT count(*) FROM velora_dedupe_claims").fetchone()
if how != "open":
    own.close()
if how == "unsaid":
    _imp.acquire_lock()  # As before each fork of Python's own.
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        _imp.release_lock()
else:
    child = os.fork()
if child == 0:
    for opened in [lambda: store, lambda: velora.open_store(url, timeout=30)]:
        try:
            with opened().claim("before") as claim:
                print(claim.state)
        except velora.StoreError as error:
            print(error.code, error)
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
own.close()
with store.claim("before") as claim:
    print(claim.state)
"""


@pytest.mark.parametrize("how", ["closed", "open", "unsaid"])
def test_a_file_that_was_open_at_a_fork_is_not_used_in_the_child(
    how: str, places: Places
) -> None:
    """A SQLite was at work there, and its locks are not the child's."""
    out, err, code = ran(INHERITING, places.url("sqlite"), how)
    assert (err, code) == ("", 0)
    *child, parent = out.splitlines()
    assert parent == "done"
    if how == "closed":
        assert child == ["done", "done"]
        return
    assert len(child) == 2
    for line in child:
        assert line.startswith("store_unavailable ")
        assert "was forked" in line


LETTING_GO = """
import os, sys, threading, time
os.register_at_fork(before=lambda: time.sleep(0.001))  # Lets go of Python, behind ours.
import velora

over = threading.Event()

def fork():
    for _ in range(20):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    over.set()

def open_stores():
    while not over.is_set():
        velora.open_store(sys.argv[1])

threads = [threading.Thread(target=work) for work in [fork, fork, open_stores]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("over")
"""


def test_a_fork_waits_for_nobody_who_waits_for_it(places: Places) -> None:
    program = ran(LETTING_GO, places.url("sqlite"))
    assert program == ("over\n", "", 0)


ENDING = """
import sqlite3, sys, threading, time
import velora

store = velora.open_store(sys.argv[1], timeout=30)
store.ready()
holder = sqlite3.connect(sys.argv[1].removeprefix("sqlite://"), isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
threading.Thread(target=store.claim("key").__enter__, daemon=True).start()
time.sleep(0.2)  # Now it waits for the lock.
print("over")
"""


def test_a_program_ends_though_its_file_is_locked(places: Places) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING, places.url("sqlite")],
        capture_output=True, text=True, timeout=25,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("over\n", "", 0)


def test_a_store_that_is_dropped_closes_its_file(places: Places) -> None:
    program = """
import gc, sys, time, warnings
import velora
from pathlib import Path
path = Path(sys.argv[1].removeprefix("sqlite://") + "-wal")
store = velora.open_store(sys.argv[1], timeout=30)
with store.claim("key"):
    assert path.exists()
del store
end = time.monotonic() + 30
while path.exists() and time.monotonic() < end:
    time.sleep(0.01)
    gc.collect()
assert not path.exists()
"""
    assert ran(program, places.url("sqlite")) == ("", "", 0)


def test_a_python_without_sqlite_says_so() -> None:
    program = """
import sys
sys.modules["sqlite3"] = None
import velora
velora.open_store("memory:").ready()
try:
    velora.open_store("sqlite://claims.db")
except velora.ConfigError as error:
    print(error.code, error)
"""
    out, err, code = ran(program)
    assert (err, code) == ("", 0)
    assert out.startswith("invalid_option ")
    assert "sqlite3" in out


def test_a_sqlite_that_is_too_old_says_so(places: Places) -> None:
    program = """
import sqlite3, sys
sqlite3.sqlite_version_info = (3, 34, 1)
import velora
try:
    velora.open_store(sys.argv[1], timeout=30).ready()
except velora.StoreError as error:
    print(error.code, error)
"""
    out, err, code = ran(program, places.url("sqlite"))
    assert (err, code) == ("", 0)
    assert out.startswith("store_unavailable ")
    assert "3034001" in out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sqlite3.OperationalError("database or disk is full"), "store_full"),
        (sqlite3.OperationalError("disk I/O error"), "store_unavailable"),
        (RuntimeError("anything"), "store_unavailable"),
    ],
)
def test_what_sqlite_says_has_a_code(
    error: Exception, code: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = places.store("sqlite")
    store.ready()

    def fails(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(_sqlite.Connection, "row", fails)
        with pytest.raises(StoreError) as raised:
            store.claim("key").__enter__()
        assert raised.value.code == code
    with store.claim("key") as claim:
        assert claim.fresh


def test_who_waits_for_a_lock_waits_no_longer_than_the_timeout(places: Places) -> None:
    url = places.url("sqlite")
    open_store(url, **PATIENT).ready()
    store = open_store(url, timeout=2)
    shop = sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)
    shop.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as raised:
        store.claim("key").__enter__()
    assert raised.value.code == "store_unavailable"
    shop.execute("ROLLBACK")
    shop.close()
    with store.claim("key") as claim:
        assert claim.fresh
