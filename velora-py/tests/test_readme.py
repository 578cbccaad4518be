"""The blocks of the README run, one after the other, as a reader would type them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from simulated import HEALTH_KEY, ROOT, Simulator

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
