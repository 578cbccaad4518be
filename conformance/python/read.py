"""Reads the audit API, and prints each event as it was received."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import BinaryIO

from velora import VeloraError
from velora.health import AuditEvent, Client
from velora.paging import Page

Command = Callable[[Client, Namespace, "bool | None"], Iterator[Page[AuditEvent]]]


def list_events(
    client: Client, asked: Namespace, phi_involved: bool | None
) -> Iterator[Page[AuditEvent]]:
    """Every event of the window, page by page, newest first."""
    return client.events(
        since=asked.since,
        until=asked.until,
        phi_involved=phi_involved,
        limit=asked.limit,
    ).pages()


def export(
    client: Client, asked: Namespace, phi_involved: bool | None
) -> Iterator[Page[AuditEvent]]:
    """Every event of the window, proven complete, oldest first."""
    return client.export(
        since=asked.since, until=asked.until, phi_involved=phi_involved
    ).pages()


COMMANDS: dict[str, Command] = {"list-events": list_events, "export": export}


def print_all(events: Command, asked: Namespace, output: BinaryIO) -> str | None:
    """Prints the events. Returns the last line for standard error if they could not be read
    to the end. Events that were read before an error are printed too."""
    phi_involved = None if asked.phi_involved is None else asked.phi_involved == "true"
    try:
        try:
            with Client(asked.api_key, base_url=asked.base_url) as client:
                for page in events(client, asked, phi_involved):
                    output.writelines(f"{event.line}\n".encode() for event in page)
        finally:
            output.flush()
    except VeloraError as error:
        return failure(error.code, getattr(error, "status", None), error.args[0])
    except OSError as error:
        return failure("output", None, str(error))
    return None


def failure(code: str, status: int | None, message: str) -> str:
    return json.dumps({"code": code, "status": status, "message": message})
