"""Headers, in every form in which a framework keeps them."""

from __future__ import annotations

import email.message
import http.client
import io
from collections import OrderedDict, UserDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from deliveries import BODY, NOW, SECRET, SIGNED, body_of, code_of, signed
from django.http.request import HttpHeaders
from starlette.datastructures import Headers as StarletteHeaders
from starlette.datastructures import MutableHeaders
from starlette.requests import Request as StarletteRequest
from velora import Signer, Verifier
from werkzeug.datastructures import EnvironHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

VERIFIER = Verifier("health", SECRET)
NAME = "X-Velora-Signature"
VALUE = SIGNED[NAME]

Pairs = list[tuple[str, str]]


def raw(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]


def message(pairs: Pairs) -> email.message.Message:
    made = email.message.Message()
    for name, value in pairs:
        made[name] = value
    return made


def http_message(pairs: Pairs) -> http.client.HTTPMessage:
    lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in pairs]
    return http.client.parse_headers(io.BytesIO(b"".join(lines) + b"\r\n"))


def joined(pairs: Pairs) -> dict[str, str]:
    """As a WSGI server does."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_TYPE": "application/json"}
    for name, value in pairs:
        cgi = "HTTP_" + name.upper().replace("-", "_")
        environ[cgi] = f"{environ[cgi]},{value}" if cgi in environ else value
    return environ


def lists(pairs: Pairs) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for name, value in pairs:
        made.setdefault(name, []).append(value)
    return made


def scope(pairs: Pairs) -> Any:
    return {"type": "http", "method": "POST", "path": "/", "headers": raw(pairs)}


class Multi:
    """A multi-dict: ``items`` gives one value a name, ``multi_items`` all."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def items(self) -> Any:
        return dict(self._pairs).items()

    def multi_items(self) -> Pairs:
        return self._pairs


ONCE: dict[str, Callable[[Pairs], Any]] = {
    "dict": dict,
    "dict lower": lambda pairs: {name.lower(): value for name, value in pairs},
    "dict upper": lambda pairs: {name.upper(): value for name, value in pairs},
    "dict of bytes": lambda pairs: dict(raw(pairs)),
    "proxy": lambda pairs: MappingProxyType(dict(pairs)),
    "OrderedDict": OrderedDict,
    "UserDict": UserDict,
    "Django": lambda pairs: HttpHeaders(joined(pairs)),
    "environ": joined,
    "EnvironHeaders": lambda pairs: EnvironHeaders(joined(pairs)),
    "values": lambda pairs: dict(pairs).items(),
}

OFTEN: dict[str, Callable[[Pairs], Any]] = {
    "pairs": list,
    "tuple of pairs": tuple,
    "lists of two": lambda pairs: [list(pair) for pair in pairs],
    "generator": lambda pairs: (pair for pair in pairs),
    "ASGI": raw,
    "ASGI lists": lambda pairs: [list(pair) for pair in raw(pairs)],
    "dict of lists": lists,
    "dict of tuples": lambda pairs: {name: tuple(all_) for name, all_ in lists(pairs).items()},
    "Starlette": lambda pairs: StarletteHeaders(raw=raw(pairs)),
    "Starlette, mutable": lambda pairs: MutableHeaders(raw=raw(pairs)),
    "Starlette, of a request": lambda pairs: StarletteRequest(scope(pairs)).headers,
    "Werkzeug": WerkzeugHeaders,
    "httpx": lambda pairs: httpx.Headers(raw(pairs)),
    "email": message,
    "http.client": http_message,
    "multi-dict": Multi,
}

ALL = ONCE | OFTEN


@pytest.mark.parametrize("made", ALL.values(), ids=ALL)
def test_headers_are_read(made: Callable[[Pairs], Any]) -> None:
    others = [("Host", "example.com"), ("Content-Type", "application/json")]
    assert VERIFIER.verify(BODY, made([*others, (NAME, VALUE)]), NOW).secret_index == 0
    assert code_of(lambda: VERIFIER.verify(BODY, made(others), NOW)) == "missing_header"
    assert code_of(lambda: VERIFIER.verify(BODY, made([]), NOW)) == "missing_header"
    forged = [(NAME, VALUE.replace("eee", "fff"))]
    assert code_of(lambda: VERIFIER.verify(BODY, made(forged), NOW)) == "signature_mismatch"


@pytest.mark.parametrize("made", OFTEN.values(), ids=OFTEN)
def test_a_header_that_was_sent_twice_is_seen(made: Callable[[Pairs], Any]) -> None:
    for twice in [[(NAME, VALUE)] * 2, [(NAME, "t=1,v1=0"), ("A", "b"), (NAME, VALUE)]]:
        assert code_of(lambda: VERIFIER.verify(BODY, made(twice), NOW)) == "duplicate_header"  # noqa: B023
    tv = signed("tv", NOW)
    stamped = [*tv.headers, ("X-Velora-Timestamp", str(NOW))]
    refused = code_of(lambda: Verifier("tv", SECRET).verify(tv.body, made(stamped), NOW))
    assert refused == "duplicate_header"


def test_a_name_in_two_cases_is_one_header_twice() -> None:
    twice = {NAME: VALUE, NAME.lower(): VALUE}
    assert code_of(lambda: VERIFIER.verify(BODY, twice, NOW)) == "duplicate_header"
    mixed = {NAME: VALUE, NAME.encode(): VALUE.encode()}
    assert code_of(lambda: VERIFIER.verify(BODY, mixed, NOW)) == "duplicate_header"


def test_a_list_is_as_many_values_as_it_has() -> None:
    assert VERIFIER.verify(BODY, {NAME: [VALUE]}, NOW)
    assert VERIFIER.verify(BODY, {NAME: (VALUE.encode(),)}, NOW)
    assert code_of(lambda: VERIFIER.verify(BODY, {NAME: []}, NOW)) == "missing_header"
    assert (
        code_of(lambda: VERIFIER.verify(BODY, {NAME: [VALUE, ""]}, NOW)) == "duplicate_header"
    )


def test_none_is_no_header() -> None:
    for none in [{NAME: None}, [(NAME, None)], OrderedDict({NAME: None})]:
        assert code_of(lambda: VERIFIER.verify(BODY, none, NOW)) == "missing_header"  # noqa: B023
    assert VERIFIER.verify(BODY, [(NAME, None), (NAME, VALUE)], NOW).secret_index == 0


def test_only_what_is_looked_at_is_read() -> None:
    odd = {NAME: VALUE, "Other": object(), 5: "x", None: None, ("a",): 1, "\ud800": "\ud800"}
    assert VERIFIER.verify(BODY, odd, NOW)
    assert VERIFIER.verify(BODY, list(odd.items()), NOW)


def test_an_environ_is_known_by_its_method() -> None:
    environ = joined([(NAME, VALUE)])
    assert VERIFIER.verify(BODY, environ, NOW)
    del environ["REQUEST_METHOD"]
    assert code_of(lambda: VERIFIER.verify(BODY, environ, NOW)) == "missing_header"
    # A client can send any header, but none that an environ has without `HTTP_`.
    plain = {"REQUEST_METHOD": "POST", "X_VELORA_SIGNATURE": VALUE}
    assert code_of(lambda: VERIFIER.verify(BODY, plain, NOW)) == "missing_header"


def test_a_name_with_underscores_is_another_name() -> None:
    other = {"X_Velora_Signature": VALUE}
    assert code_of(lambda: VERIFIER.verify(BODY, other, NOW)) == "missing_header"


def test_what_holds_no_headers_is_refused() -> None:
    class Raises:
        def items(self) -> Any:
            raise KeyError("no")

    class Lies:
        def items(self) -> Any:
            return 5

    loop: list[Any] = []
    loop.append(loop)
    for headers in [
        None, 5, "text", b"bytes", object(), VALUE, [1], ["ab"], [("a",)], [("a", "b", "c")],
        Raises(), Lies(), loop, [None], {NAME: 5}, {NAME: loop}, {NAME: {}},
        {NAME: [5]}, [(NAME, 5)], {NAME: [[VALUE]]}, {NAME: object()}, dict, print,
    ]:  # fmt: skip
        refused = code_of(lambda: VERIFIER.verify(BODY, headers, NOW))  # noqa: B023
        assert refused == "unreadable_headers", headers


def test_an_interrupt_is_no_verdict_on_headers() -> None:
    class Interrupted:
        def items(self) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VERIFIER.verify(BODY, Interrupted(), NOW)


IDS = ["évènement", "über", "日本", "🎉", "naïve—id", "\u00ff\u0100", "a\u0300"]
"""Within ISO-8859-1 and beyond."""


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("made", ALL.values(), ids=ALL)
def test_a_header_repeats_a_body_that_is_not_ascii(
    id: str, made: Callable[[Pairs], Any]
) -> None:
    """On the wire it is UTF-8; frameworks show its bytes as ISO-8859-1, PEP 3333."""
    body = body_of("curae", eventId=id)
    genuine = Signer("curae", SECRET).sign(body, NOW)
    assert ("CuraeAI-Event-Id", id.encode().decode("latin-1")) in genuine.headers
    verifier = Verifier("curae", SECRET)
    delivery = verifier.verify(body, made(genuine.headers), NOW)
    delivery.check_headers()
    assert delivery.event.id == id
    other = [
        (name, "other" if name == "CuraeAI-Event-Id" else value)
        for name, value in genuine.headers
    ]
    refused = verifier.verify(body, made(other), NOW)
    assert code_of(refused.check_headers) == "header_body_mismatch"
    assert (
        code_of(lambda: refused.event) == code_of(lambda: refused.key) == "header_body_mismatch"
    )


@pytest.mark.parametrize("id", IDS)
def test_text_that_no_wire_carries_is_taken_as_it_is(id: str) -> None:
    """Of a test that writes the header by hand; what ISO-8859-1 holds cannot be told apart
    from a wire's."""
    body = body_of("curae", eventId=id)
    genuine = dict(Signer("curae", SECRET).sign(body, NOW).headers)
    genuine["CuraeAI-Event-Id"] = id
    delivery = Verifier("curae", SECRET).verify(body, genuine, NOW)
    if max(id) > "\u00ff":
        delivery.check_headers()
    else:
        assert code_of(delivery.check_headers) == "header_body_mismatch"


def test_bytes_are_what_was_on_the_wire() -> None:
    body = body_of("curae", eventId="é")
    genuine = dict(Signer("curae", SECRET).sign(body, NOW).headers)
    verifier = Verifier("curae", SECRET)
    verifier.verify(body, genuine | {"CuraeAI-Event-Id": "é".encode()}, NOW).check_headers()
    latin = verifier.verify(body, genuine | {"CuraeAI-Event-Id": b"\xe9"}, NOW)
    assert code_of(latin.check_headers) == "header_body_mismatch"


def test_half_a_surrogate_pair_matches_nothing() -> None:
    genuine = dict(signed("curae", NOW).headers)
    verifier = Verifier("curae", SECRET)
    odd = genuine | {"CuraeAI-Event-Id": "\ud800"}
    delivery = verifier.verify(signed("curae", NOW).body, odd, NOW)
    assert code_of(delivery.check_headers) == "header_body_mismatch"
    odd = genuine | {"CuraeAI-Signature": "\udcff"}
    assert code_of(lambda: verifier.verify(BODY, odd, NOW)) == "malformed_header"
