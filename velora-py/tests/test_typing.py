"""Type checkers accept correct use of the package, and report every mistake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from simulated import ROOT
from test_readme import READMES, programs

TYPING = Path(__file__).parent / "typing"
PYTHON = ROOT / "velora-py"
PACKAGE = PYTHON / "python/velora"
EXAMPLES = sorted((ROOT / "examples/python").glob("*.py"))
CONFORMANCE = ROOT / "conformance/python"
RIGHT = [TYPING / "events.py", TYPING / "clients.py"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("mypy"))


def mypy(cache: str, *files: Path) -> tuple[int, str]:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        cache,
        "--config-file",
        str(PYTHON / "pyproject.toml"),
        *map(str, files),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=PYTHON)
    return done.returncode, done.stdout + done.stderr


def test_mypy_has_nothing_to_say_of_right_use(cache: str) -> None:
    status, said = mypy(cache, *RIGHT, *EXAMPLES)
    assert status == 0, said


@pytest.mark.parametrize("readme", READMES)
def test_mypy_has_nothing_to_say_of_the_blocks(cache: str, tmp_path: Path, readme: str) -> None:
    files = []
    for number, program in enumerate(programs(readme)):
        files.append(tmp_path / f"readme_{number}.py")
        # Django has no types.
        untyped = '# mypy: disable-error-code="import-untyped"\n'
        files[-1].write_text(untyped + program, "utf-8")
    status, said = mypy(cache, *files)
    assert status == 0, said


def test_mypy_has_nothing_to_say_of_the_package(cache: str) -> None:
    status, said = mypy(cache, PACKAGE)
    assert status == 0, said


def test_mypy_has_nothing_to_say_of_the_conformance_program(cache: str) -> None:
    status, said = mypy(cache, *sorted(CONFORMANCE.glob("*.py")))
    assert status == 0, said


def test_mypy_reports_every_mistake(cache: str) -> None:
    """With ``--strict`` a line that is ignored for nothing is an error itself."""
    status, said = mypy(cache, TYPING / "mistakes.py")
    assert status == 0, said


def pyright(*files: Path) -> list[dict[str, object]]:
    environment = os.environ | {
        "PYRIGHT_PYTHON_CACHE_DIR": str(ROOT / ".venv/pyright"),
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
    }
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=TYPING,
        env=environment,
    )
    found: list[dict[str, object]] = json.loads(done.stdout)["generalDiagnostics"]
    return found


def test_pyright_has_nothing_to_say_of_right_use() -> None:
    assert pyright(*RIGHT, TYPING / "narrowing.py", *EXAMPLES) == []


def test_pyright_reports_every_mistake(tmp_path: Path) -> None:
    """Without what silences it; but a comparison that cannot hold it reports only if asked."""
    text = (TYPING / "mistakes.py").read_text("utf-8")
    expected = {
        at
        for at, line in enumerate(text.splitlines())
        if "# type: ignore" in line and "comparison-overlap" not in line
    }
    bare = tmp_path / "mistakes.py"
    bare.write_text(re.sub(r"  # type: ignore\[.*\]", "", text), "utf-8")
    found = pyright(bare)
    lines = {each["range"]["start"]["line"] for each in found}  # type: ignore[index]
    assert lines == expected


def test_the_stub_says_what_the_module_has(cache: str, tmp_path: Path) -> None:
    """Both ways: nothing is missing on either side, and signatures agree."""
    config = tmp_path / "mypy.ini"
    config.write_text(f"[mypy]\ncache_dir = {cache}\n")
    allowed = TYPING / "stubtest-allowlist.txt"
    command = [
        sys.executable,
        "-m",
        "mypy.stubtest",
        "velora",
        "--mypy-config-file",
        str(config),
        "--allowlist",
        str(allowed),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=PYTHON)
    assert done.returncode == 0, done.stdout + done.stderr
