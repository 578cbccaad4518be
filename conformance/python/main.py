"""``conformance/run python``: the same commands as in every other language, implemented with
only the public API of ``velora``.
"""

from __future__ import annotations

import argparse
import os
import sys

import case
import claim
import lines
import read


def main() -> int:
    """Runs the command that the arguments name."""
    asked = arguments().parse_args()
    try:
        if asked.command in case.COMMANDS:
            return answer(asked.command)
        if asked.command == "claim":
            return end(claim.answer_all(asked, sys.stdin.buffer, sys.stdout.buffer))
        events = read.COMMANDS[asked.command]
        return end(read.print_all(events, asked, sys.stdout.buffer))
    finally:
        # If output could not be written, nobody reads it: keep Python from trying again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def arguments() -> argparse.ArgumentParser:
    """The arguments of the program."""
    parser = argparse.ArgumentParser(
        prog="conformance/run python",
        description="Answers conformance cases in order, or prints events: JSON, line by line.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "verify", help="says for each case whether the delivery is genuine"
    )
    commands.add_parser("event", help="also says which event it carries, and its key")
    commands.add_parser("key", help="also says its key, without reading the event")
    claiming = commands.add_parser(
        "claim", help="works with a store, one operation per line", allow_abbrev=False
    )
    claiming.add_argument("--store", required=True, help="its URL")
    claiming.add_argument("--lease", type=float, help="in seconds")
    for name, words in [
        ("list-events", "prints every event of a window, as the audit API lists them"),
        ("export", "prints every event of a window, exported and proven whole"),
    ]:
        reading = commands.add_parser(name, help=words, allow_abbrev=False)
        reading.add_argument("--base-url", required=True)
        reading.add_argument("--api-key", required=True)
        reading.add_argument("--since", required=True)
        reading.add_argument("--until", required=True)
        reading.add_argument("--phi-involved", choices=["true", "false"])
        reading.add_argument(
            "--limit", type=int, help="events per page; an export has no pages"
        )
    return parser


def answer(command: str) -> int:
    """Answers the cases on standard input."""
    try:
        lines.answer_all(sys.stdin.buffer, sys.stdout.buffer, case.COMMANDS[command])
    except BrokenPipeError:
        # The reader of the answers has seen enough.
        return 1
    except OSError as error:
        print(f"conformance/run python: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def end(failure: str | None) -> int:
    """Prints the reason for a failure as the last line on stderr."""
    if failure is None:
        return 0
    print(failure, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
