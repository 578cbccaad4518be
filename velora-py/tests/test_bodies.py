"""What counts as a raw body, and what is refused with a helpful message."""

from __future__ import annotations

import array
import ctypes
import io
import mmap
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from deliveries import BODY, NOW, SECRET, SIGNED, body_of, code_of, signed
from pydantic import BaseModel
from velora import ConfigError, MemoryStore, Receiver, Signer, VerificationError, Verifier

VERIFIER = Verifier("health", SECRET)
JSON = {"Content-Type": "application/json"}


class Parsed(BaseModel):
    id: str
    n: int


class Request:
    async def body(self) -> bytes:
        return BODY

    def get_data(self) -> bytes:
        return BODY


class Bytes(bytes):
    """A subclass that says something else about itself."""

    def __len__(self) -> int:
        return 0

    def __bytes__(self) -> bytes:
        return b"something else"


def mapped() -> mmap.mmap:
    with tempfile.TemporaryFile() as file:
        file.write(BODY)
        file.flush()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        bytearray(BODY),
        memoryview(BODY),
        memoryview(b"<<" + BODY + b">>")[2:-2],
        memoryview(bytes(each for byte in BODY for each in (byte, 0)))[::2],
        memoryview(BODY[::-1])[::-1],
        memoryview(bytearray(BODY)).toreadonly(),
        array.array("B", BODY),
        array.array("b", BODY),
        io.BytesIO(BODY).getbuffer(),
        ctypes.create_string_buffer(BODY, len(BODY)),
        Bytes(BODY),
    ],
    ids=lambda body: type(body).__name__,
)
def test_whatever_holds_bytes_is_a_body(body: Any) -> None:
    assert VERIFIER.verify(body, SIGNED, NOW).body == BODY
    made = Signer("health", SECRET).sign(body, NOW)
    assert (made.body, dict(made.headers)) == (BODY, {**SIGNED, **JSON})


def test_a_mapped_file_is_a_body() -> None:
    with mapped() as body:
        assert VERIFIER.verify(body, SIGNED, NOW).body == BODY


def test_a_buffer_of_wider_items_is_its_bytes() -> None:
    wide = array.array("I", b"\0" * 8)
    delivery = Signer("billing", SECRET).sign(wide)
    assert delivery.body == b"\0" * 8


def test_what_is_changed_later_was_copied() -> None:
    genuine = signed(now=NOW)
    body = bytearray(genuine.body)
    delivery = VERIFIER.verify(body, genuine.headers, NOW)
    body[:] = b"x" * len(body)
    assert delivery.body == genuine.body
    assert delivery.key == "health:evt_1:phi.read"


def test_what_is_not_bytes_is_refused() -> None:
    coroutine = Request().body()
    refused: list[Any] = [
        BODY.decode(),
        {"id": "evt_1", "n": 1},
        [1, 2],
        (1, 2),
        None,
        5,
        1.5,
        True,
        object(),
        coroutine,
        Request().body,
        Request().get_data,
        Parsed(id="evt_1", n=1),
        io.BytesIO(BODY),
        iter([BODY]),
        Request,
    ]
    receiver = Receiver(VERIFIER, MemoryStore())
    for body in refused:
        for use in [
            lambda body=body: VERIFIER.verify(body, SIGNED, NOW),
            lambda body=body: Signer("health", SECRET).sign(body, NOW),
            lambda body=body: receiver.receive(body, SIGNED, print),
        ]:
            with pytest.raises(ConfigError) as raised:
                use()
            assert raised.value.code == "body_already_parsed"
            # The one message with a duty: it names the calls to use.
            for call in ["await request.body()", "request.get_data()", "request.body"]:
                assert call in str(raised.value)
    coroutine.close()


def test_what_was_refused_is_not_shown() -> None:
    for body in ['{"ssn":"canary"}', {"ssn": "canary"}, Parsed(id="canary", n=1)]:
        with pytest.raises(ConfigError) as raised:
            VERIFIER.verify(body, SIGNED, NOW)
        assert "canary" not in repr(raised.value) + str(raised.value)


def test_a_released_buffer_is_refused() -> None:
    body = memoryview(BODY)
    body.release()
    assert code_of(lambda: VERIFIER.verify(body, SIGNED, NOW)) == "body_already_parsed"


def test_each_byte_counts() -> None:
    for body in [
        b"",
        BODY + b"\n",
        b"\xef\xbb\xbf" + BODY,
        BODY[:-1],
        BODY.replace(b"1", b"2"),
    ]:
        with pytest.raises(VerificationError) as raised:
            VERIFIER.verify(body, SIGNED, NOW)
        assert raised.value.code == "signature_mismatch"


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 32_767, 32_768, 32_769, 1 << 20])
def test_a_body_of_any_size(size: int) -> None:
    for scheme in ["health", "billing", "tv"]:
        body = bytes(range(256)) * (size // 256) + bytes(size % 256)
        genuine = Signer(scheme, SECRET).sign(body, NOW)
        verifier = Verifier(scheme, SECRET)
        assert verifier.verify(body, genuine.headers, NOW).body == body
        assert verifier.verify(bytearray(body), dict(genuine.headers), NOW).body == body
        forged = body[:-1] + b"\x01" if size else b"\x01"
        refused = code_of(lambda: verifier.verify(forged, genuine.headers, NOW))  # noqa: B023
        assert refused == "signature_mismatch"


def test_large_bodies_from_many_threads_at_once() -> None:
    """Bodies over 32 KiB are hashed while other threads run."""

    def verified(number: int) -> bool:
        body = body_of("health", id=f"evt_{number}", details={"fill": "x" * 40_000})
        genuine = Signer("health", SECRET).sign(body, NOW)
        for _ in range(20):
            delivery = VERIFIER.verify(body, dict(genuine.headers), NOW)
            assert delivery.key == f"health:evt_{number}:phi.read"
            other = code_of(lambda: VERIFIER.verify(body + b" ", genuine.headers, NOW))
            assert other == "signature_mismatch"
        return True

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(verified, range(64), timeout=60))


def test_what_a_delivery_gives_outlives_what_it_came_from() -> None:
    def made() -> Any:
        delivery = signed(now=NOW)
        return Verifier("health", SECRET).verify(delivery.body, dict(delivery.headers), NOW)

    deliveries = [made() for _ in range(100)]
    assert {delivery.key for delivery in deliveries} == {"health:evt_1:phi.read"}
    assert all(delivery.body == body_of("health") for delivery in deliveries)
    assert all(delivery.event.raw == body_of("health").decode() for delivery in deliveries)
