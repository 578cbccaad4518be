"""Contenders that take turns, so that a noisy machine slows all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable


def interleave(contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median time of each; every contender measures itself once a round."""
    for measure in contenders.values():
        measure()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            times[name].append(measure())
    return {name: statistics.median(each) for name, each in times.items()}


def verdict(ratio: float, target: float, *, at_least: bool = False) -> str:
    """How a ratio stands to its target."""
    met = ratio >= target if at_least else ratio <= target
    relation = "at least" if at_least else "at most"
    return f"{ratio:.3f} (target {relation} {target}) {'ok' if met else 'MISSED'}"
