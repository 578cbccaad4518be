"""The blocks of the READMEs run, one after the other, as a reader would type them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory
from httpx import ASGITransport, AsyncClient
from simulated import HEALTH_KEY, ROOT, Simulator
from velora import Signer

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
READMES = ["README.md", "velora-py/README.md"]

SIGNER = Signer("health", "0123456789abcdef" * 4)


def programs(readme: str) -> list[str]:
    """A block that begins with `import os` begins a program; any other goes on with it."""
    blocks = BLOCK.findall((ROOT / readme).read_text("utf-8"))
    found: list[str] = []
    for block in blocks:
        if block.startswith("import os\n"):
            found.append(block)
        else:
            found[-1] += "\n" + block
    return found


@pytest.mark.parametrize("readme", READMES)
def test_every_block_runs(
    readme: str,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VELORA_WEBHOOK_SECRET", "0123456789abcdef" * 4)
    monkeypatch.setenv("VELORA_API_KEY", HEALTH_KEY)
    monkeypatch.setenv("VELORA_BASE_URL", simulator.url)
    monkeypatch.chdir(tmp_path)
    if not settings.configured:
        settings.configure()
    ran = [run(program, readme) for program in programs(readme)]
    printed = capsys.readouterr().out
    assert "rows, proven whole" in printed
    if readme == "velora-py/README.md":
        assert "secret 1\n" in printed
        assert "order A-7\nprocessed\n" in printed
    for names in ran:
        assert receives_once(names), names.keys()
        if "shop" in names:
            counts_once(names)
    frameworks = [names["deliveries"].__module__ for names in ran]
    of_package = ["velora.fastapi", "velora.flask", "velora.django"]
    assert frameworks == (["velora.fastapi"] if readme == "README.md" else of_package)


def run(program: str, readme: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(program, readme, "exec"), names)
    return names


def receives_once(names: dict[str, Any]) -> bool:
    """What the endpoint of a program answers to an event that comes twice."""
    made = SIGNER.sign(b'{"id":"evt_6","type":"phi.read"}')
    headers, url = dict(made.headers), "/velora-webhook"
    if names["deliveries"].__module__ == "velora.fastapi":

        async def post_twice() -> list[str]:
            transport = ASGITransport(names["app"])
            async with AsyncClient(transport=transport, base_url="http://localhost") as client:
                sent = {"content": made.body, "headers": headers}
                return [(await client.post(url, **sent)).text for _ in "12"]

        answers = asyncio.run(post_twice())
    elif names["deliveries"].__module__ == "velora.flask":
        flask = names["app"].test_client()
        answers = [flask.post(url, data=made.body, headers=headers).text for _ in "12"]
    else:
        (route,) = names["urlpatterns"]
        request = RequestFactory().generic
        of_json = {"content_type": "application/json", "headers": headers}
        answers = [
            route.callback(request("POST", url, made.body, **of_json)).content.decode()
            for _ in "12"
        ]
    return answers == ["processed", "duplicate"]


def counts_once(names: dict[str, Any]) -> None:
    """What the blocks have defined, when deliveries come to it."""
    received, alone = (
        SIGNER.sign(b'{"id":"evt_%d","type":"phi.read"}' % number) for number in [7, 8]
    )
    outcomes = [names["record"](received.body, dict(received.headers)).outcome for _ in "12"]
    assert outcomes == ["processed", "duplicate"]
    delivery = names["verifier"].verify(alone.body, alone.headers)
    assert [names["record_alone"](delivery) for _ in "12"] == [200, 200]
    with names["store"].claim("health:evt_9:phi.read"):
        other = SIGNER.sign(b'{"id":"evt_9","type":"phi.read"}')
        delivery = names["verifier"].verify(other.body, other.headers)
        assert names["record_alone"](delivery) == 503
    rows = names["shop"].execute("SELECT id FROM reads ORDER BY id").fetchall()
    assert rows == [("evt_7",), ("evt_8",)]
    names["shop"].close()
