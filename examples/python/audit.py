"""The audit API of Velora Health: checks the key, lists events, exports them to a file, and
registers an endpoint for deliveries.

    export VELORA_API_KEY=vlk_live_…        # and VELORA_BASE_URL, if it is not the vendor's
    python audit.py probe
    python audit.py list   --since 2026-05-01T00:00:00Z --until 2026-05-08T00:00:00Z --phi
    python audit.py export --since 2026-05-01T00:00:00Z --until 2026-05-08T00:00:00Z may.ndjson
    python audit.py register https://your-app.example.com/velora-webhook --filter phi. admin.

Exits with 0 on success, with 1 after an error of the system or of the file, and with 2 if the
arguments are wrong.
"""

from __future__ import annotations

import argparse
import os
import sys

from velora import VeloraError
from velora.health import Client, Progress


def main() -> int:
    asked = arguments().parse_args()
    try:
        with Client.from_env() as client:
            match asked.command:
                case "probe":
                    probe(client)
                case "list":
                    list_events(client, asked)
                case "export":
                    export(client, asked)
                case "register":
                    register(client, asked)
    except VeloraError as error:
        # Branch on the code; the message is for humans, and shows neither the key nor PHI.
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "stopped; run the same export again to resume it",
            file=sys.stderr,
        )
        return 130
    return 0


def probe(client: Client) -> None:
    """Succeeds if the key is valid and has the scope ``audit:read``."""
    client.probe()
    print("ok")


def list_events(client: Client, asked: argparse.Namespace) -> None:
    """Newest first; the next page is fetched while this one is printed."""
    try:
        for event in client.events(
            since=asked.since, until=asked.until, phi_involved=asked.phi, limit=1000
        ):
            print(event.line)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the list, such as `head`, has seen enough. Python would say so once more
        # when it flushes on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def export(client: Client, asked: argparse.Namespace) -> None:
    """Exports completely, despite the cap of 10,000 rows a call, or raises. If it is killed at
    any point, call it again to resume."""
    manifest = client.export_to_file(
        asked.file,
        since=asked.since,
        until=asked.until,
        phi_involved=asked.phi,
        on_progress=show if sys.stderr.isatty() else None,
    )
    manifest.verify(asked.file)
    print(f"{manifest.rows} rows, {manifest.bytes} bytes, {len(manifest.leaves)} parts")
    if manifest.complete_until < manifest.until:
        until = manifest.complete_until
        print(
            f"whole until {until}; the window has not ended, the next call adds the rest"
        )


def show(progress: Progress) -> None:
    """Prints one line, which is overwritten each time."""
    done = (progress.done_until - progress.since) / (progress.until - progress.since)
    end = "\n" if progress.done_until == progress.until else ""
    print(f"\r{done:4.0%}  {progress.rows} rows", end=end, file=sys.stderr, flush=True)


def register(client: Client, asked: argparse.Namespace) -> None:
    """The secret is shown only once: store it in a secrets manager before anything else."""
    made = client.webhooks.create(
        asked.url, event_filter=asked.filter, description=asked.description
    )
    print(f"VELORA_WEBHOOK_SECRET={made.secret.expose_secret().decode()}")
    print(f"registered {made.endpoint.id} for {made.endpoint.url}", file=sys.stderr)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Reads the audit API of Velora Health."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("probe", help="checks that key, scope and URL match")
    for name, words in [
        ("list", "prints the events of a window, one per line"),
        (
            "export",
            "writes all events of a window to a file, with the proof next to it",
        ),
    ]:
        reading = commands.add_parser(name, help=words)
        reading.add_argument("--since", required=True, help="the first instant")
        reading.add_argument(
            "--until", required=True, help="the first instant after it"
        )
        reading.add_argument(
            "--phi",
            action=argparse.BooleanOptionalAction,
            help="only events that do, or do not, involve PHI",
        )
        if name == "export":
            reading.add_argument("file")
    registering = commands.add_parser("register", help="has events delivered to a URL")
    registering.add_argument("url")
    registering.add_argument(
        "--filter", nargs="*", default=[], help="prefixes of types"
    )
    registering.add_argument("--description")
    return parser


if __name__ == "__main__":
    sys.exit(main())
