"""Every vector, through the package and through the command."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
from typing import Any

import pytest
from simulated import ROOT
from vectors import vectors, verify
from velora import VeloraError, Verifier

RUN = [str(ROOT / "conformance/run"), "python"]

GENUINE = vectors()[0]


def named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


@pytest.mark.parametrize("case", named(vectors()))
def test_gives_the_verdict(case: dict[str, Any]) -> None:
    try:
        verify(Verifier, case).check_headers()
        answer: dict[str, Any] = {"ok": True}
    except VeloraError as error:
        answer = {"ok": False, "code": error.code}
    assert answer == case["expect"], case["comment"]


@pytest.mark.parametrize("case", named(vectors("events")))
def test_gives_the_event(case: dict[str, Any]) -> None:
    try:
        delivery = verify(Verifier, case)
        answer: dict[str, Any] = {
            "ok": True,
            "type": delivery.event.type,
            "key": delivery.key,
        }
    except VeloraError as error:
        answer = {"ok": False, "code": error.code}
    # What is extra, the command answers.
    expected = {name: value for name, value in case["expect"].items() if name != "extra"}
    assert answer == expected, case["comment"]


@pytest.mark.parametrize("case", named(vectors("keys")))
def test_gives_the_key(case: dict[str, Any]) -> None:
    try:
        answer: dict[str, Any] = {"ok": True, "key": verify(Verifier, case).key}
    except VeloraError as error:
        answer = {"ok": False, "code": error.code}
    assert answer == case["expect"], case["comment"]


def test_an_event_that_is_malformed_is_still_genuine() -> None:
    malformed = [
        case for case in vectors("events") if case["expect"].get("code") == "malformed_event"
    ]
    assert len(malformed) > 10
    for case in malformed:
        delivery = verify(Verifier, case)
        delivery.check_headers()
        assert delivery.body == base64.b64decode(case["body_b64"])


def test_the_command_answers_every_vector_in_order() -> None:
    for command, folder in [("verify", ""), ("event", "events"), ("key", "keys")]:
        cases = vectors(folder)
        assert len(cases) > 100
        lines = [json.dumps(case, ensure_ascii=False) for case in cases]
        assert ask(command, "\n".join(lines).encode()) == [answer_to(case) for case in cases]


@pytest.mark.timeout(300)
def test_takes_100_000_lines() -> None:
    numbers = range(100_000)
    cases = [{**case, "id": at} for at, case in zip(numbers, itertools.cycle(vectors()))]
    answers = ask("verify", "\n".join(map(json.dumps, cases)).encode(), timeout=110)
    # Compared at once: 100,000 differences would help nobody.
    assert (answers == [answer_to(case) for case in cases]) is True


def test_an_id_is_echoed_as_it_is() -> None:
    ids = [
        "1", "1.50", "1e999", "-0", "1" * 5_000, '"é\\"\\n"', '"\\ud800"', "true", "null",
        '{"a":[true,1.50,{"b":"é"}],"a":null}', "[]",
    ]  # fmt: skip
    rest = json.dumps(GENUINE)[1:].replace('"id": ', '"was": ')
    asked = "\n".join(f'{{"id":{id},{rest}' for id in ids)
    answered = run("verify", asked.encode()).stdout.decode().splitlines()
    assert answered == [f'{{"id":{id},"ok":true}}' for id in ids]


def test_blank_lines_are_skipped_and_the_last_needs_no_end() -> None:
    line = json.dumps(GENUINE)
    twice = f"\n  \r\n{line}\r\n\t\n{line}".encode()
    assert ask("verify", twice) == [answer_to(GENUINE)] * 2
    assert ask("verify", b"") == []


def test_null_members_are_absent_members() -> None:
    case = {**GENUINE, "tolerance": None, "secrets_b64": None}
    assert ask("verify", json.dumps(case).encode()) == [answer_to(case)]


def test_a_number_too_large_for_a_float_is_an_infinite_tolerance() -> None:
    line = json.dumps({**GENUINE, "tolerance": "big"}).replace('"big"', "1e999")
    (answer,) = ask("verify", line.encode())
    assert answer == {"id": GENUINE["id"], "ok": False, "code": "invalid_tolerance"}


def test_what_is_no_case_is_said_to_be_none() -> None:
    whole = json.dumps(GENUINE)
    identified = [
        *({name: value for name, value in GENUINE.items() if name != absent}
          for absent in ["scheme", "body_b64", "headers", "now"]),
        *({**GENUINE, **odd} for odd in [
            {"scheme": 5}, {"secrets": "one"}, {"secrets": [1]}, {"secrets_b64": ["c2VjcmV0"]},
            {"body_b64": "no base64"}, {"body_b64": "AB=="}, {"body_b64": "AA"},
            {"headers": {"X-Velora-Signature": "x"}}, {"headers": [["X-Velora-Signature"]]},
            {"headers": [[1, "x"]]}, {"now": "1717423320"}, {"now": None}, {"now": [1]},
            {"tolerance": "300"}, {"tolerance": True}, {"scheme": "\ud800"},
        ]),
    ]  # fmt: skip
    lines = [json.dumps(case) for case in identified]
    lines.append(whole[:-1] + ',"now":1}')
    anonymous = ["{", "null", "no json", f"[{whole}]", whole * 2, "{}", whole[:-1] + ',"id":1}']
    given = "\n".join(lines + anonymous).encode() + b"\n\xff\xfe\n"
    ids = [GENUINE["id"]] * len(lines) + [None] * (len(anonymous) + 1)
    none = [{"id": each, "ok": False, "code": "invalid_case"} for each in ids]
    assert ask("verify", given) == none


def test_one_who_waits_for_an_answer_gets_it() -> None:
    process = subprocess.Popen([*RUN, "verify"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(json.dumps(GENUINE).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == answer_to(GENUINE)
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_a_reader_that_has_seen_enough_is_no_reason_to_complain() -> None:
    process = subprocess.Popen(
        [*RUN, "verify"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(json.dumps(GENUINE).encode() + b"\n")
        process.stdin.close()
        assert process.wait(timeout=30) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_usage_is_told_and_is_no_answer() -> None:
    for arguments in [[], ["guess"], ["export", "--since", "2026-05-01T00:00:00Z"]]:
        told = subprocess.run([*RUN, *arguments], capture_output=True, timeout=30)
        assert (told.returncode, told.stdout) == (2, b"")


def ask(command: str, given: bytes, timeout: float = 60) -> list[Any]:
    return [json.loads(line) for line in run(command, given, timeout).stdout.splitlines()]


def run(command: str, given: bytes, timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*RUN, command], input=given, stdout=subprocess.PIPE, check=True, timeout=timeout
    )


def answer_to(case: dict[str, Any]) -> dict[str, Any]:
    """The answer a vector expects: its ``expect``, under its ``id``."""
    return {"id": case["id"], **case["expect"]}
