"""The vectors that all languages share."""

from __future__ import annotations

import base64
import json
from typing import Any

from simulated import ROOT

FOLDER = ROOT / "conformance/vectors"


def vectors(folder: str = "") -> list[dict[str, Any]]:
    """All cases directly in a folder of the vectors, file by file."""
    files = sorted((FOLDER / folder).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def verify(verifiers: Any, case: dict[str, Any]) -> Any:
    """The case's delivery, verified by whatever makes verifiers."""
    secrets = case.get("secrets")
    if secrets is None:
        secrets = [base64.b64decode(each) for each in case.get("secrets_b64", [])]
    tolerance = case.get("tolerance")
    verifier = verifiers(
        case["scheme"], secrets, tolerance=None if tolerance is None else float(tolerance)
    )
    headers = [(name.encode(), value.encode()) for name, value in case["headers"]]
    return verifier.verify(base64.b64decode(case["body_b64"]), headers, float(case["now"]))
