"""The blocks of the README run, one after the other, as a reader would type them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from simulated import HEALTH_KEY, ROOT, Simulator
from velora import Signer

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("readme", ["README.md", "velora-py/README.md"])
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
    blocks = BLOCK.findall((ROOT / readme).read_text())
    assert blocks
    names: dict[str, Any] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, readme, "exec"), names)
    assert "rows, proven whole" in capsys.readouterr().out
    if "shop" in names:
        counts_once(names)


def counts_once(names: dict[str, Any]) -> None:
    """What the blocks have defined, when deliveries come to it."""
    signer = Signer("health", "0123456789abcdef" * 4)
    received, alone = (
        signer.sign(b'{"id":"evt_%d","type":"phi.read"}' % number) for number in [7, 8]
    )
    outcomes = [names["record"](received.body, dict(received.headers)).outcome for _ in "12"]
    assert outcomes == ["processed", "duplicate"]
    delivery = names["verifier"].verify(alone.body, alone.headers)
    assert [names["record_alone"](delivery) for _ in "12"] == [200, 200]
    with names["store"].claim("health:evt_9:phi.read"):
        other = signer.sign(b'{"id":"evt_9","type":"phi.read"}')
        delivery = names["verifier"].verify(other.body, other.headers)
        assert names["record_alone"](delivery) == 503
    rows = names["shop"].execute("SELECT id FROM reads ORDER BY id").fetchall()
    assert rows == [("evt_7",), ("evt_8",)]
    names["shop"].close()
