"""One line in, one line out, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import case
from case import Case, Members, NoCase, Number

BUFFER_BYTES = 64 * 1024
BLANKS = b" \t\r\n\x0c"


def answer_all(
    source: BinaryIO, target: BinaryIO, verdict: Callable[[Case], dict[str, object]]
) -> None:
    """Answers every line that is not blank. A caller that waits for an answer before writing
    the next case gets it."""
    for read in chunks_of_lines(source):
        answers = [
            answer(line, verdict) for each in read if (line := each.strip(BLANKS))
        ]
        target.write(b"".join(answers))
        target.flush()


def chunks_of_lines(source: BinaryIO) -> Iterator[list[bytes]]:
    """The complete lines of what can be read at once; the last line needs no line end."""
    rest = b""
    while chunk := source.read1(BUFFER_BYTES):  # type: ignore[attr-defined]
        if b"\n" not in chunk:
            rest += chunk
            continue
        *whole, rest = (rest + chunk).split(b"\n")
        yield whole
    yield [rest]


def answer(line: bytes, verdict: Callable[[Case], dict[str, object]]) -> bytes:
    """The answer to a line, whatever it is."""
    try:
        asked = case.read(line)
    except NoCase as error:
        return write(error.id, {"ok": False, "code": "invalid_case"})
    return write(asked.id, verdict(asked))


def write(id: Any, verdict: dict[str, object]) -> bytes:
    return f'{{"id":{text_of(id)},{dumps(verdict)[1:]}\n'.encode(
        errors="backslashreplace"  # Half a surrogate pair is written as JSON has it.
    )


def text_of(value: Any) -> str:
    """Any value as JSON, with numbers as they were written."""
    if isinstance(value, Number):
        return value
    if isinstance(value, Members):
        return (
            "{"
            + ",".join(f"{dumps(name)}:{text_of(each)}" for name, each in value)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return dumps(value)


dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
