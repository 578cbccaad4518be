"""Listing and exporting beside the loops one would write without the client, in one run. Five
members are read of every event.

Usage: clients.py SIMULATOR, the path of `velora-simulator`.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import orjson
import requests
import velora
from rounds import interleave, verdict

KEY = "vlk_live_00000001_0123456789abcdef0123456789abcdef"
AUDIT = "/api/v2/public/audit"
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
EVENTS = 100_000
SINCE, UNTIL = "2026-05-01T00:00:00+00:00", "2026-05-08T00:00:00+00:00"

Read = Callable[[], int]


@contextlib.contextmanager
def simulator(program: str) -> Iterator[str]:
    arguments = ["--events", str(EVENTS), "--cache-mib", "512", "--until-stdin-ends"]
    with subprocess.Popen(
        [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def look_at(event: dict[str, Any]) -> object:
    return (
        event["event_id"],
        event["action"],
        event["user_id"],
        event["resource_type"],
        event["phi_involved"],
    )


def look_at_ours(event: velora.health.AuditEvent) -> object:
    return event.event_id, event.action, event.user_id, event.resource_type, event.phi_involved


def velora_list(base: str) -> int:
    count = 0
    with velora.health.Client(KEY, base_url=base) as client:
        for event in client.events():
            look_at_ours(event)
            count += 1
    return count


def velora_list_async(base: str) -> int:
    async def read() -> int:
        count = 0
        async with velora.health.AsyncClient(KEY, base_url=base) as client:
            async for event in client.events():
                look_at_ours(event)
                count += 1
        return count

    return asyncio.run(read())


def velora_export(base: str) -> int:
    count = 0
    with velora.health.Client(KEY, base_url=base) as client:
        for event in client.export(since=SINCE, until=UNTIL):
            look_at_ours(event)
            count += 1
    return count


def paged(page_of: Callable[[str | None], Any]) -> int:
    """The vendor's loop, over whatever fetches a page."""
    count, cursor = 0, None
    while True:
        page = page_of(cursor)
        for event in page["events"]:
            look_at(event)
            count += 1
        if not page["page"]["has_more"]:
            return count
        cursor = page["page"]["next_cursor"]


def params(cursor: str | None) -> dict[str, str]:
    return {"limit": "1000"} | ({"cursor": cursor} if cursor else {})


def httpx_list(base: str) -> int:
    with httpx.Client(base_url=base, headers=AUTHORIZATION, trust_env=False) as client:
        return paged(lambda at: client.get(f"{AUDIT}/events", params=params(at)).json())


def requests_list(base: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(AUTHORIZATION)
        url = f"{base}{AUDIT}/events"
        return paged(lambda at: session.get(url, params=params(at), timeout=60).json())


def orjson_list(base: str) -> int:
    with contextlib.closing(http.client.HTTPConnection(base.split("//")[1])) as connection:

        def page_of(cursor: str | None) -> Any:
            query = "&".join(f"{name}={value}" for name, value in params(cursor).items())
            connection.request("GET", f"{AUDIT}/events?{query}", headers=AUTHORIZATION)
            return orjson.loads(connection.getresponse().read())

        return paged(page_of)


# An export of more than 10,000 rows is cut, which the samples do not know of: these read the
# first 10,000 rows again and again, until they have read as many as there are.
BODY = {"since": SINCE, "until": UNTIL}


def repeated(read_once: Read) -> int:
    count = 0
    while count < EVENTS:
        count += read_once()
    return count


def httpx_export(base: str) -> int:
    def once() -> int:
        count = 0
        url = f"{AUDIT}/export?format=ndjson"
        with client.stream("POST", url, json=BODY) as response:
            for line in response.iter_lines():
                look_at(json.loads(line))
                count += 1
        return count

    with httpx.Client(
        base_url=base, headers=AUTHORIZATION, trust_env=False, timeout=60
    ) as client:
        return repeated(once)


def orjson_export(base: str) -> int:
    body = json.dumps(BODY)
    headers = {**AUTHORIZATION, "Content-Type": "application/json"}

    def once() -> int:
        count = 0
        connection.request("POST", f"{AUDIT}/export?format=ndjson", body, headers)
        for line in connection.getresponse().read().splitlines():
            look_at(orjson.loads(line))
            count += 1
        return count

    with contextlib.closing(http.client.HTTPConnection(base.split("//")[1])) as connection:
        return repeated(once)


def timed(read: Read) -> Callable[[], float]:
    def measure() -> float:
        start = time.perf_counter()
        count = read()
        assert count == EVENTS, f"{count} events were read"
        return (time.perf_counter() - start) / count

    return measure


def compare(what: str, readers: dict[str, Callable[[str], int]], base: str) -> None:
    timers = {name: timed(partial(read, base)) for name, read in readers.items()}
    times = interleave(timers, 9)
    row = "  ".join(f"{name} {1 / time / 1e3:,.0f}" for name, time in times.items())
    print(f"{what}, k events/s: {row}")
    for peer, target in [("httpx", 3.0), ("orjson", 1.5)]:
        ratio = times[peer] / times["velora"]
        print(f"  of {peer} {verdict(ratio, target, at_least=True)}")


def main() -> None:
    with simulator(sys.argv[1]) as base:
        compare(
            "list",
            {
                "velora": velora_list,
                "velora async": velora_list_async,
                "httpx": httpx_list,
                "requests": requests_list,
                "orjson": orjson_list,
            },
            base,
        )
        compare(
            "export",
            {"velora": velora_export, "httpx": httpx_export, "orjson": orjson_export},
            base,
        )


main()
