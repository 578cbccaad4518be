"""The frameworks are optional."""

from __future__ import annotations

import subprocess
import sys

import pytest

FRAMEWORKS = {"fastapi": "starlette", "flask": "werkzeug", "django": "asgiref"}


def test_the_package_imports_no_framework() -> None:
    assert not {*FRAMEWORKS, *FRAMEWORKS.values()} & _imported("import velora")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_adapter_imports_its_framework_alone(framework: str) -> None:
    imported = _imported(f"import velora.{framework}")
    assert {framework} == set(FRAMEWORKS) & imported


def _imported(program: str) -> set[str]:
    program += "; import sys; print(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return set(done.stdout.split())
