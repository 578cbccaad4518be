"""Programs that use the package: the audit API example, and the conformance command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from simulated import EVENTS, HEALTH_KEY, HEALTH_NO_SCOPE_KEY, ROOT, WEEK, Simulator
from velora import Verifier, health

AUDIT = [sys.executable, str(ROOT / "examples/python/audit.py")]
RUN = [str(ROOT / "conformance/run"), "python"]
WINDOW = ["--since", WEEK["since"], "--until", WEEK["until"]]


def audit(simulator: Simulator, *arguments: str, key: str = HEALTH_KEY, **more: Any) -> Any:
    environment = os.environ | {"VELORA_API_KEY": key, "VELORA_BASE_URL": simulator.url}
    return subprocess.run(
        [*AUDIT, *arguments],
        env=environment,
        timeout=60,
        **{"capture_output": True, "text": True, **more},
    )


def test_the_example_probes(simulator: Simulator) -> None:
    done = audit(simulator, "probe")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    done = audit(simulator, "probe", key=HEALTH_NO_SCOPE_KEY)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("forbidden: ")
    assert audit(simulator).returncode == 2


def test_the_example_lists(simulator: Simulator) -> None:
    done = audit(simulator, "list", *WINDOW, "--phi")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == simulator.truth(**WEEK, phi_involved=True)
    done = audit(simulator, "list", "--since", "yesterday", "--until", "today")
    assert done.returncode == 1
    assert done.stderr.startswith("invalid_option: ")


def test_the_example_stops_listing_when_nobody_reads(simulator: Simulator) -> None:
    def unread(*arguments: str) -> Any:
        ours, its = os.pipe()
        os.close(ours)
        silent = {"capture_output": False, "stdout": its, "stderr": subprocess.PIPE}
        done = audit(simulator, *arguments, **silent)
        os.close(its)
        return done

    # A list that is written at once, and one that is not.
    for until in ["2026-05-01T00:01:00Z", WEEK["until"]]:
        done = unread("list", "--since", WEEK["since"], "--until", until)
        assert (done.returncode, done.stderr) == (0, "")
    # A secret that nobody reads is lost.
    assert unread("register", "https://example.com/hook").returncode != 0


def test_the_example_exports(simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "may.ndjson"
    done = audit(simulator, "export", *WINDOW, str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("23456 rows, ")
    health.Manifest.read(path).verify(path)
    assert sorted(path.read_text("utf-8").splitlines()) == simulator.truth(**WEEK)


def test_the_example_shows_how_far_it_has_come(simulator: Simulator, tmp_path: Path) -> None:
    ours, its = pty.openpty()
    done = audit(
        simulator, "export", *WINDOW, str(tmp_path / "may"),
        capture_output=False, stdout=subprocess.PIPE, stderr=its,
    )  # fmt: skip
    os.close(its)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert shown.startswith("\r")
    assert shown.rstrip().endswith("100%  23456 rows")


def test_the_example_registers(simulator: Simulator) -> None:
    url = "https://your-app.example.com/velora-webhook"
    done = audit(simulator, "register", url, "--filter", "phi.", "admin.")
    assert done.returncode == 0
    name, _, secret = done.stdout.strip().partition("=")
    assert name == "VELORA_WEBHOOK_SECRET"
    assert len(secret) == 64
    assert secret not in done.stderr
    assert Verifier("health", secret).scheme == "health"
    registered = simulator.control("GET", "endpoints")[-1]
    assert registered["url"] == url


def command(simulator: Simulator, name: str, *more: str, key: str = HEALTH_KEY) -> Any:
    return subprocess.run(
        [*RUN, name, "--base-url", simulator.url, "--api-key", key, *WINDOW, *more],
        capture_output=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["list-events", "export"])
def test_the_command_prints_each_event_once(simulator: Simulator, name: str) -> None:
    for more, filters in [
        ((), {}),
        (("--phi-involved", "true"), {"phi_involved": True}),
        (("--phi-involved", "false", "--limit", "997"), {"phi_involved": False}),
    ]:
        done = command(simulator, name, *more)
        assert (done.returncode, done.stderr) == (0, b"")
        assert sorted(done.stdout.decode().splitlines()) == simulator.truth(**WEEK, **filters)


@pytest.mark.parametrize("name", ["list-events", "export"])
def test_the_command_says_why_it_could_not_be_read_whole(
    simulator: Simulator, name: str
) -> None:
    for more, key, code, status in [
        ((), HEALTH_NO_SCOPE_KEY, "forbidden", 403),
        ((), " ", "invalid_api_key", None),
        (("--since", "yesterday"), HEALTH_KEY, "invalid_option", None),
        (("--base-url", "http://velora.example"), HEALTH_KEY, "invalid_base_url", None),
        (("--until", "2026-04-01T00:00:00Z"), HEALTH_KEY, "invalid_window", None),
    ]:
        done = command(simulator, name, *more, key=key)
        last = json.loads(done.stderr.splitlines()[-1])
        assert (done.returncode, done.stdout) == (1, b"")
        assert (last["code"], last["status"]) == (code, status)
        assert last["message"]
        assert key not in last["message"].split(" ")
    assert command(simulator, name, "--phi-involved", "perhaps").returncode == 2


def test_what_was_read_before_an_error_is_printed(simulator: Simulator) -> None:
    simulator.inject("status=403", path=EVENTS, skip=2)
    done = command(simulator, "list-events", "--limit", "100")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 200
    assert json.loads(done.stderr.splitlines()[-1])["code"] == "forbidden"
    for limit in ["0", "1001", "70000"]:
        done = command(simulator, "list-events", "--limit", limit)
        assert done.returncode != 0
        assert done.stdout == b""
        if done.returncode == 1:
            assert json.loads(done.stderr.splitlines()[-1])["code"] == "invalid_option"


@pytest.mark.parametrize("name", ["list-events", "export"])
def test_a_reader_that_has_seen_enough_is_told_of(simulator: Simulator, name: str) -> None:
    """The events were not read to their end: that is no success."""
    process = subprocess.Popen(
        [*RUN, name, "--base-url", simulator.url, "--api-key", HEALTH_KEY, *WINDOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        last = json.loads(process.stderr.read().splitlines()[-1])
        assert process.wait(timeout=30) == 1
    assert (last["code"], last["status"]) == ("output", None)
