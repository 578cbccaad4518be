"""What holds for every adapter, through its framework and over a socket."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from control import WAIT, Control
from handlers import LIMIT, SECRET
from sending import Answer, Made, Sender, answer, delivery, forged, fresh_id, signed, twice
from serving import Adapter, Server

SYSTEMS = ("health", "curae")


@pytest.mark.parametrize("system", SYSTEMS)
def test_handles_a_delivery_once(
    adapter: Adapter, sender: Sender, control: Control, system: str
) -> None:
    made = delivery(system)
    path = f"{adapter.prefix}/{system}"

    first = sender.send(path, made)
    again = sender.send(path, made)

    assert (first.status, first.text) == (200, "processed")
    assert (again.status, again.text) == (200, "duplicate")
    assert first.headers["Content-Type"].startswith("text/plain")
    assert "Retry-After" not in first.headers
    (call,) = control.calls(made.id)
    assert call.event_class == f"velora.{system}.Event"
    assert call.event_type == "EventType"
    assert call.raw == made.body


@pytest.mark.parametrize(("system", "status"), [("health", 401), ("curae", 400)])
def test_refuses_a_forgery(
    adapter: Adapter, sender: Sender, control: Control, system: str, status: int
) -> None:
    path = f"{adapter.prefix}/{system}"
    made = delivery(system)
    unsigned = Made(made.id, made.body, ())

    assert _of(sender.send(path, forged(made))) == (status, "signature_mismatch")
    assert _of(sender.send(path, unsigned)) == (status, "missing_header")
    assert control.calls(made.id) == []


@pytest.mark.parametrize(("system", "status"), [("health", 401), ("curae", 400)])
def test_refuses_a_signature_that_was_sent_twice(
    adapter: Adapter, sender: Sender, control: Control, system: str, status: int
) -> None:
    made = delivery(system)
    refused = sender.send(f"{adapter.prefix}/{system}", twice(made))

    # Under WSGI the server has joined them.
    outcome = "duplicate_header" if adapter.shows_twice else "malformed_header"
    assert _of(refused) == (status, outcome)
    assert control.calls(made.id) == []


@pytest.mark.parametrize(("system", "status"), [("health", 413), ("curae", 500)])
def test_refuses_a_body_over_the_limit(
    adapter: Adapter, sender: Sender, control: Control, system: str, status: int
) -> None:
    path = f"{adapter.prefix}/{system}"
    fits = _sized(system, LIMIT)
    over = _sized(system, LIMIT + 1)

    assert _of(sender.send(path, over)) == (status, "body_too_large")
    assert _of(sender.send(path, fits)) == (200, "processed")
    assert control.calls(over.id) == []


def test_reads_no_more_of_an_endless_body_than_it_must(
    adapter: Adapter, sender: Sender
) -> None:
    if not adapter.streams:
        # Django reads the body of an ASGI request before the view: into a file.
        return
    made = delivery()
    path = f"{adapter.prefix}/health"
    whole_gigabyte = (*made.headers, ("Content-Length", str(1 << 30)))

    # A little more than the limit is sent (servers read by the block), never the rest.
    refused = sender.raw("POST", path, whole_gigabyte, b"x" * (LIMIT + 8192))

    assert _of(refused) == (413, "body_too_large")


def test_takes_a_chunked_body(adapter: Adapter, sender: Sender, control: Control) -> None:
    made = delivery()
    sent = sender.send_chunked(f"{adapter.prefix}/health", made)

    if not adapter.takes_chunks:
        # Never a refusal, after which some would not send it again.
        assert _of(sent) == (500, "body_unreadable")
        return
    assert _of(sent) == (200, "processed")
    assert [call.raw for call in control.calls(made.id)] == [made.body]


def test_refuses_a_chunked_body_over_the_limit(adapter: Adapter, sender: Sender) -> None:
    sent = sender.send_chunked(f"{adapter.prefix}/health", _sized("health", LIMIT + 1), 4096)
    over = (413, "body_too_large")
    assert _of(sent) == (over if adapter.takes_chunks else (500, "body_unreadable"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_does_not_refuse_half_a_body(
    adapter: Adapter, sender: Sender, control: Control, system: str
) -> None:
    path = f"{adapter.prefix}/{system}"
    made = delivery(system)
    headers = (*made.headers, ("Content-Length", str(len(made.body))))

    if adapter.tells_of_half:
        half = sender.raw("POST", path, headers, made.body[:-5], close=True)
        assert _of(half) == (500, "body_unreadable")
    else:
        sender.open("POST", path, headers, made.body[:-5]).close()

    assert control.calls(made.id) == []
    assert _of(sender.send(path, made)) == (200, "processed")


def test_logs_what_a_handler_raises_and_takes_the_event_again(
    adapter: Adapter, server: Server, sender: Sender, control: Control
) -> None:
    path = f"{adapter.prefix}/health"
    made = delivery()
    control.raise_once(made.id)

    failed = sender.send(path, made)
    again = sender.send(path, made)

    assert _of(failed) == (500, "handler_failed")
    assert _of(again) == (200, "processed")
    assert len(control.calls(made.id)) == 2
    server.written(r"velora ERROR [^\n]*\nTraceback[\s\S]*Refused: the handler was told")
    signature = dict(made.headers)["X-Velora-Signature"].partition("v1=")[2]
    for hidden in (SECRET, signature, made.id):
        assert hidden not in server.log


def test_logs_a_genuine_delivery_that_is_refused_and_no_forgery(
    adapter: Adapter, server: Server, sender: Sender
) -> None:
    path = f"{adapter.prefix}/health"
    made = signed("health", "evt_lost", b'{"id":"evt_lost"')

    sender.send(path, forged(made))
    sender.send(path, made)

    server.written(r"velora ERROR [^\n]*malformed_event\n[^\n]*VerificationError: ")
    for hidden in (SECRET, made.id, "signature_mismatch"):
        assert hidden not in server.log


def test_asks_to_wait_while_the_event_is_handled(
    adapter: Adapter, sender: Sender, control: Control
) -> None:
    path = f"{adapter.prefix}/health"
    made = delivery()
    held = control.hold(made.id)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sender.send, path, made)
        call = held.get(timeout=WAIT)
        second = sender.send(path, made)
        call.end()
        handled = first.result(WAIT)

    assert _of(second) == (503, "in_flight")
    assert 1 <= int(second.headers["Retry-After"]) <= 60
    assert _of(handled) == (200, "processed")
    assert len(control.calls(made.id)) == 1


def test_a_sender_that_hangs_up_loses_no_event(
    adapter: Adapter, sender: Sender, control: Control
) -> None:
    path = f"{adapter.prefix}/health"
    made = delivery()
    held = control.hold(made.id)
    headers = (*made.headers, ("Content-Length", str(len(made.body))))

    connection = sender.open("POST", path, headers, made.body)
    call = held.get(timeout=WAIT)
    connection.close()
    # By the time this is answered, the server has seen that the sender is gone.
    assert sender.ask("GET", path).status == 405
    call.end()

    # The handler was not cut off: what comes again finds the event in hand, then done.
    tries = (sender.send(path, made) for _ in range(2000))
    last = next(sent for sent in tries if sent.status != 503)
    assert _of(last) == (200, "duplicate")
    assert len(control.calls(made.id)) == 1


@pytest.mark.parametrize(
    "more",
    [
        '"ü€😀"'.encode(),
        rb'"\u00fc\ud83d\ude00\/"',
        b'"a"\r\n\t ,\r\n"n": 1.0e2',
        b'"' + b"\x7f" + b'"',
    ],
    ids=["unicode", "escapes", "line-ends", "control"],
)
def test_verifies_the_body_byte_for_byte(
    adapter: Adapter, sender: Sender, control: Control, more: bytes
) -> None:
    id = fresh_id()
    body = b'{"id":"%s",\r\n"type":"phi.read","x":%s}\r\n' % (id.encode(), more)
    made = signed("health", id, body)

    assert _of(sender.send(f"{adapter.prefix}/health", made)) == (200, "processed")
    assert [call.raw for call in control.calls(id)] == [made.body]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'"text"',
        b'{"id":"evt_x","type":"phi.read","x":"\xff\xfe"}',
        b'\xef\xbb\xbf{"id":"evt_x","type":"phi.read"}',
    ],
    ids=["half", "empty", "text", "no-utf8", "bom"],
)
def test_a_genuine_body_that_cannot_be_read_comes_again(
    adapter: Adapter, sender: Sender, control: Control, body: bytes
) -> None:
    # Not `signature_mismatch`: the very bytes were verified, whatever they are.
    sent = sender.send(f"{adapter.prefix}/health", signed("health", "evt_x", body))
    assert _of(sent) == (500, "malformed_event")
    assert control.calls("evt_x") == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_takes_nothing_but_post(adapter: Adapter, sender: Sender, method: str) -> None:
    refused = sender.ask(method, f"{adapter.prefix}/health")
    assert refused.status == 405
    assert "POST" in refused.headers["Allow"]


def test_serves_on_after_a_request_that_was_cut(
    adapter: Adapter, sender: Sender, control: Control
) -> None:
    made = delivery()
    path = f"{adapter.prefix}/health"
    sender.open("POST", path, (("Content-Length", "100"),), b"").close()
    with sender.open("POST", path, (("Transfer-Encoding", "chunked"),), b"zz\r\n") as broken:
        broken.shutdown(socket.SHUT_WR)
        assert answer(broken).status >= 400
    assert _of(sender.send(path, made)) == (200, "processed")


def _sized(system: str, size: int) -> Made:
    """A genuine delivery whose body has so many bytes."""
    made = delivery(system)
    return signed(system, made.id, made.body + b" " * (size - len(made.body)))


def _of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.text
