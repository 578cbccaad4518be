"""Fixtures that many tests use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from either import KINDS, Either
from served_stores import Places
from simulated import Simulator

# The drivers of PostgreSQL would take these for options of every connection.
for name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[name]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator of the test's own.

    What a client gave up may still be on its way to a shared one, and would take the
    next test's fault upon itself.
    """
    with Simulator("--events", "23456", "--billing-csv-records", "3000") as simulator:
        yield simulator


@pytest.fixture
def simulators() -> Iterator[Callable[..., Simulator]]:
    """Starts simulators with options of one's own, and ends them."""
    started: list[Simulator] = []

    def start(*options: str) -> Simulator:
        started.append(Simulator(*options))
        return started[-1]

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture(params=KINDS)
def either(request: Any) -> Iterator[Either]:
    """Clients and receivers of both kinds, each driven as if its calls waited."""
    with Either(request.param) as either:
        yield either


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """Empty places for durable stores, on servers that end with the tests."""
    with Places() as places:
        yield places
