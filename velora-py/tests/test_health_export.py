"""Exports: complete despite the cap; to a file, with its proof; interrupted and resumed."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from simulated import EXPORT, HEALTH_KEY, WEEK, Simulator
from velora import ApiError, ConfigError, FileError, health
from velora.paging import Page

DAY = {"since": "2026-05-02T00:00:00Z", "until": "2026-05-03T00:00:00Z"}


@pytest.fixture
def client(either: Either, simulator: Simulator) -> Any:
    return either.client(health, HEALTH_KEY, **simulator.options())


def lines(events: Any) -> list[str]:
    return sorted(event.line for event in events)


def test_exports_a_window_whole_through_the_cap(client: Any, simulator: Simulator) -> None:
    for phi_involved in [None, True, False]:
        filters = {} if phi_involved is None else {"phi_involved": phi_involved}
        simulator.forget()
        rows = list(client.export(**WEEK, **filters))
        assert lines(rows) == simulator.truth(**WEEK, **filters)
        instants = [row.timestamp for row in rows if row.timestamp]
        assert instants == sorted(instants)
    rows = list(client.export(**WEEK, concurrency=1))
    assert lines(rows) == simulator.truth(**WEEK)
    assert len(simulator.requests(EXPORT)) > 3


def test_an_export_has_pages(client: Any, simulator: Simulator) -> None:
    pages = list(client.export(**DAY).pages())
    assert all(isinstance(page, Page) and page.next_cursor is None for page in pages)
    assert all(len(page) > 0 for page in pages)
    assert len(pages) > 1
    assert lines(event for page in pages for event in page) == simulator.truth(**DAY)


def test_an_export_that_is_left_early_ends(client: Any, simulator: Simulator) -> None:
    with client.export(**WEEK, concurrency=1) as rows:
        for _ in rows:
            break
    assert code_of(lambda: list(rows)) == "connection"
    assert client.probe() is None


def test_an_export_tells_how_far_it_has_come(client: Any, simulator: Simulator) -> None:
    told: list[health.Progress] = []
    threads: set[int] = set()

    def report(progress: health.Progress) -> None:
        told.append(progress)
        threads.add(threading.get_ident())

    events = client.export(**WEEK, on_progress=report)
    assert told == []
    rows = []
    for row in events:
        rows.append(row)
        # A row that is given was counted, and no more than what comes with it.
        assert len(rows) <= told[-1].rows <= len(rows) + 11_000
    assert lines(rows) == simulator.truth(**WEEK)
    assert threads == {threading.get_ident()}
    assert all(isinstance(each, health.Progress) for each in told)
    assert [each.rows for each in told] == sorted(each.rows for each in told)
    last = told[-1]
    assert (last.rows, last.done_until) == (len(rows), last.until)
    assert last.calls >= last.leaves > 1

    told.clear()
    pages = list(client.export(**DAY, on_progress=report).pages())
    assert told[-1].rows == sum(len(page) for page in pages)
    empty = {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}
    told.clear()
    assert list(client.export(**empty, on_progress=report)) == []
    assert [(each.rows, each.done_until) for each in told] == [(0, told[-1].until)]


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_what_a_report_raises_ends_an_export(
    either: Either, simulator: Simulator, error: type[BaseException]
) -> None:
    raised, seen = error("by the report"), list[Any]()

    def report(progress: health.Progress) -> None:
        if progress.rows > 5_000:
            raise raised

    client = either.client(health, HEALTH_KEY, **simulator.options())
    rows = client.export(**WEEK, concurrency=1, on_progress=report)
    with pytest.raises(error) as caught:
        list(map(seen.append, rows))
    assert caught.value is raised
    # What was not told of was not given, and a part is never the whole.
    assert len(seen) <= 5_000
    assert code_of(lambda: next(rows)) == "connection"
    assert client.probe() is None


def test_a_report_may_ask_for_rows_itself(simulator: Simulator) -> None:
    asked: list[str] = []

    def report(progress: health.Progress) -> None:
        asked.append(next(rows).line)

    rows = health.Client(HEALTH_KEY, **simulator.options()).export(**DAY, on_progress=report)
    rest = [row.line for row in rows]
    assert asked
    assert sorted(asked + rest) == simulator.truth(**DAY)


def test_concurrency_has_bounds(client: Any) -> None:
    for odd in [0, -1, 1 << 70]:
        assert code_of(lambda: client.export(**WEEK, concurrency=odd)) == "invalid_option"  # noqa: B023


def test_what_cannot_be_proven_whole_is_said(simulators: Any, either: Either) -> None:
    crowded = simulators("--events", "12000", "--crowd", "11000", "--cursor", "leaky")
    client = either.client(health, HEALTH_KEY, **crowded.options())
    seen: list[str] = []
    rows = (seen.append(row.line) for row in client.export(**WEEK))
    assert code_of(lambda: list(rows)) == "incomplete_window"
    assert len(seen) == len(set(seen)) < 12_000


def test_a_crowd_is_read_page_by_page(simulators: Any, either: Either) -> None:
    crowded = simulators("--events", "12000", "--crowd", "11000")
    client = either.client(health, HEALTH_KEY, **crowded.options())
    assert lines(client.export(**WEEK)) == crowded.truth(**WEEK)


def test_once_says_whether_it_was_cut(client: Any, simulator: Simulator) -> None:
    whole = client.export_once(**DAY)
    assert isinstance(whole, health.ExportedOnce)
    assert whole.truncation == "no"
    assert isinstance(whole.events, tuple)
    assert lines(whole.events) == simulator.truth(**DAY)
    cut = client.export_once(**WEEK)
    assert (cut.truncation, len(cut.events)) == ("yes", 10_000)
    assert repr(cut) == "ExportedOnce(10000 events, truncation='yes')"
    simulator.inject("no_truncation_header", always=True)
    assert client.export_once(**DAY).truncation == "unknown"
    assert client.export_once(**WEEK).truncation == "yes"
    assert client.export_once(**DAY, phi_involved=True).events


def test_exports_to_a_file_with_its_proof(
    client: Any, simulator: Simulator, tmp_path: Path
) -> None:
    path, told = tmp_path / "events.ndjson", []
    manifest = client.export_to_file(path, **WEEK, on_progress=told.append)
    text = path.read_text("utf-8")
    assert sorted(text.splitlines()) == simulator.truth(**WEEK)
    assert (manifest.rows, manifest.bytes) == (23_456, path.stat().st_size)
    proof = json.loads((tmp_path / "events.ndjson.manifest.json").read_text("utf-8"))
    assert manifest.format == proof["format"] == 1
    assert manifest.base_url.startswith(simulator.url)
    assert (manifest.since.isoformat(), manifest.phi_involved) == (
        "2026-05-01T00:00:00+00:00",
        None,
    )
    assert manifest.complete_until == manifest.until
    assert sum(leaf.rows for leaf in manifest.leaves) == manifest.rows
    assert manifest.leaves[0].since == manifest.since
    assert manifest.leaves[-1].until == manifest.until
    for one, two in pairwise(manifest.leaves):
        assert one.until == two.since
    first = json.loads(text[: text.index("\n")])
    assert manifest.leaves[0].first_id == first["event_id"]
    assert len(manifest.leaves[0].sha256) == 64

    manifest.verify(path)
    assert health.Manifest.read(path) == manifest == health.Manifest.read(str(path))
    assert (tmp_path / "events.ndjson.manifest.json").exists()
    assert not (tmp_path / "events.ndjson.checkpoint").exists()
    event = health.AuditEvent.from_json(text[: text.index("\n")])
    assert event.event_id == first["event_id"]

    assert told
    assert all(isinstance(each, health.Progress) for each in told)
    assert [each.rows for each in told] == sorted(each.rows for each in told)
    last = told[-1]
    assert (last.rows, last.done_until) == (manifest.rows, manifest.until)
    assert (last.since, last.until) == (manifest.since, manifest.until)
    assert last.leaves == len(manifest.leaves)
    assert last.calls >= last.leaves

    simulator.forget()
    assert client.export_to_file(str(path), **WEEK) == manifest
    assert simulator.requests() == []


def test_a_file_that_was_changed_does_not_match(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    manifest = client.export_to_file(path, **DAY)
    assert code_of(lambda: manifest.verify(tmp_path / "none")) == "file_unusable"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(FileError) as raised:
        manifest.verify(path)
    assert raised.value.code == "file_mismatch"
    path.write_bytes(content)
    manifest.verify(path)
    assert code_of(lambda: health.Manifest.read(tmp_path / "none")) == "file_unusable"
    (tmp_path / "events.ndjson.manifest.json").write_text("a letter")
    assert code_of(lambda: health.Manifest.read(path)) == "file_mismatch"


def test_what_is_not_its_own_is_left_alone(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("Dear Sir")
    assert code_of(lambda: client.export_to_file(path, **DAY)) == "file_mismatch"
    assert path.read_text() == "Dear Sir"
    nowhere = tmp_path / "no" / "where"
    assert code_of(lambda: client.export_to_file(nowhere, **DAY)) == "file_unusable"
    other = tmp_path / "other"
    client.export_to_file(other, **DAY)
    assert code_of(lambda: client.export_to_file(other, **WEEK)) == "file_mismatch"
    refused = code_of(lambda: client.export_to_file(other, **DAY, phi_involved=True))
    assert refused == "file_mismatch"
    with pytest.raises(TypeError):
        client.export_to_file(5, **DAY)


def test_goes_on_after_an_error(client: Any, simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    simulator.inject("status=403", path=EXPORT, skip=6)
    with pytest.raises(ApiError) as raised:
        client.export_to_file(path, **WEEK, concurrency=1)
    assert raised.value.code == "forbidden"
    done = (tmp_path / "events.ndjson.checkpoint").read_text().count("\n")
    assert done > 1
    manifest = client.export_to_file(path, **WEEK)
    manifest.verify(path)
    assert sorted(path.read_text("utf-8").splitlines()) == simulator.truth(**WEEK)


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_what_a_report_raises_ends_it_and_a_further_call_goes_on(
    client: Any, simulator: Simulator, tmp_path: Path, error: type[BaseException]
) -> None:
    path, raised, told = tmp_path / "events.ndjson", error("by the report"), list[Any]()

    def report(progress: health.Progress) -> None:
        told.append(progress)
        if progress.rows > 5_000:
            raise raised

    with pytest.raises(error) as caught:
        client.export_to_file(path, **WEEK, concurrency=1, on_progress=report)
    assert caught.value is raised
    assert client.probe() is None
    assert [each.rows > 5_000 for each in told] == [False] * (len(told) - 1) + [True]
    assert not (tmp_path / "events.ndjson.manifest.json").exists()
    assert (tmp_path / "events.ndjson.checkpoint").read_text().count("\n") > 1
    rest: list[health.Progress] = []
    manifest = client.export_to_file(path, **WEEK, on_progress=rest.append)
    assert rest[0].rows > 0
    manifest.verify(path)
    assert sorted(path.read_text("utf-8").splitlines()) == simulator.truth(**WEEK)


def test_a_manifest_says_that_its_window_had_not_ended(client: Any, tmp_path: Path) -> None:
    before = datetime.now(timezone.utc) - timedelta(minutes=1)  # An answer may be slow.
    window = {"since": "2026-05-01T00:00:00Z", "until": "2200-01-01T00:00:00Z"}
    manifest = client.export_to_file(tmp_path / "events", **window)
    assert before <= manifest.complete_until <= datetime.now(timezone.utc)
    assert manifest == health.Manifest.read(tmp_path / "events")


def test_a_report_that_has_raised_is_not_called_again(client: Any, tmp_path: Path) -> None:
    """Not even with what was reported while it was at work."""
    told: list[health.Progress] = []

    def report(progress: health.Progress) -> None:
        told.append(progress)
        while not (tmp_path / "events.manifest.json").exists():
            time.sleep(0.01)
        raise LookupError

    with pytest.raises(LookupError):
        client.export_to_file(tmp_path / "events", **WEEK, on_progress=report)
    assert client.probe() is None
    assert len(told) == 1
    client.export_to_file(tmp_path / "events", **WEEK).verify(tmp_path / "events")


def test_a_report_that_cancels_its_task_is_not_called_again(
    simulator: Simulator, tmp_path: Path
) -> None:
    told: list[health.Progress] = []

    async def main() -> None:
        def report(progress: health.Progress) -> None:
            told.append(progress)
            # Until every report has been made: they wait for this one.
            while not (tmp_path / "events.manifest.json").exists():
                time.sleep(0.01)
            task.cancel()

        async with health.AsyncClient(HEALTH_KEY, **simulator.options()) as client:
            work = client.export_to_file(tmp_path / "events", **WEEK, on_progress=report)
            task = asyncio.ensure_future(work)
            await asyncio.wait([task])
            assert task.cancelled()
            assert await client.probe() is None

    asyncio.run(main())
    assert len(told) == 1


async def later(progress: health.Progress) -> None:
    """Of a call nothing has run yet."""


def lazy(progress: health.Progress) -> Iterator[int]:
    yield progress.rows


class Later:
    async def __call__(self, progress: health.Progress) -> None:
        """The same."""


@pytest.mark.parametrize("report", [later, partial(later), Later(), lazy])
def test_a_report_that_nobody_would_await_is_refused(
    client: Any, simulator: Simulator, tmp_path: Path, report: Any
) -> None:
    with pytest.raises(TypeError):
        client.export(**DAY, on_progress=report)
    with pytest.raises(TypeError):
        client.export_to_file(tmp_path / "events", **DAY, on_progress=report)
    assert list(tmp_path.iterdir()) == []
    assert simulator.requests(EXPORT) == []


@pytest.mark.parametrize("report", [later, lazy])
def test_a_report_that_turns_out_to_have_run_nothing_ends_it(
    client: Any, simulator: Simulator, tmp_path: Path, report: Any
) -> None:
    with pytest.raises(TypeError):
        list(client.export(**DAY, on_progress=lambda progress: report(progress)))
    with pytest.raises(TypeError):
        client.export_to_file(
            tmp_path / "events", **DAY, on_progress=lambda progress: report(progress)
        )


def test_a_report_may_start_a_task(simulator: Simulator, tmp_path: Path) -> None:
    async def main() -> list[health.Progress]:
        told: list[health.Progress] = []
        tasks: list[asyncio.Task[None]] = []

        async def tell(progress: health.Progress) -> None:
            told.append(progress)

        def report(progress: health.Progress) -> asyncio.Task[None]:
            tasks.append(asyncio.create_task(tell(progress)))
            return tasks[-1]

        async with health.AsyncClient(HEALTH_KEY, **simulator.options()) as client:
            await client.export_to_file(tmp_path / "events", **DAY, on_progress=report)
        await asyncio.gather(*tasks)
        return told

    assert asyncio.run(main())[-1].rows == len(simulator.truth(**DAY))


@pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
def test_a_part_does_not_look_whole_because_a_report_raised_the_end_of_a_loop(
    client: Any, tmp_path: Path, error: type[Exception]
) -> None:
    def report(progress: health.Progress) -> None:
        raise error

    with pytest.raises(RuntimeError) as raised:
        list(client.export(**DAY, on_progress=report))
    assert isinstance(raised.value.__cause__, error)
    with pytest.raises(RuntimeError):
        client.export_to_file(tmp_path / "events", **DAY, on_progress=report)


def test_a_manifest_is_compared_by_what_it_says(client: Any, tmp_path: Path) -> None:
    one = client.export_to_file(tmp_path / "one", **DAY)
    two = client.export_to_file(tmp_path / "two", **DAY)
    other = client.export_to_file(tmp_path / "other", **DAY, phi_involved=True)
    assert one == two != other
    assert other.phi_involved is True
    with pytest.raises(TypeError):
        hash(one)


def test_an_export_needs_its_window(client: Any) -> None:
    with pytest.raises(TypeError):
        client.export(since="2026-05-01T00:00:00Z")
    with pytest.raises(TypeError):
        client.export_to_file("x")
    with pytest.raises(ConfigError) as raised:
        client.export(since=None, until=None)
    assert raised.value.code == "invalid_option"
