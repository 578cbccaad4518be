"""Arbitrary objects lead to a verdict or a ``VeloraError``, and nothing else."""

# ruff: noqa: PT017  An error is one of the two ways these may end.

from __future__ import annotations

import json
import pickle
from typing import Any

from deliveries import BODY, NOW, SCHEMES, SECRET, SIGNED
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from velora import (
    Delivery,
    MemoryStore,
    Receiver,
    Reply,
    Signer,
    SigningSecret,
    VeloraError,
    Verifier,
    health,
)

settings.register_profile(
    "here",
    deadline=None,
    max_examples=150,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("here")

VERIFIERS = {scheme: Verifier(scheme, SECRET) for scheme in SCHEMES}
SIGNERS = {scheme: Signer(scheme, SECRET) for scheme in SCHEMES}

ANY_TEXT = st.text(st.characters(), max_size=20)
"""Half surrogate pairs too."""

NAMES = st.sampled_from(
    [
        "X-Velora-Signature",
        "x-velora-timestamp",
        "X-Webhook-Signature",
        "CuraeAI-Signature",
        "CURAEAI-EVENT-ID",
        "HTTP_X_VELORA_SIGNATURE",
        "REQUEST_METHOD",
    ]
)

SIGNATURES = st.sampled_from(
    [SIGNED["X-Velora-Signature"], f"t={NOW}", "v1=", "t=,v1=", "sha256=" + "0" * 64, str(NOW)]
)


class Odd:
    """An object whose methods give, or raise, whatever they are told to."""

    def __init__(self, name: str, gives: Any) -> None:
        def method(*_: Any, **__: Any) -> Any:
            if isinstance(gives, type) and issubclass(gives, Exception):
                raise gives("no")
            return gives

        setattr(self, name, method)


class OddClass:
    """The same, where Python looks for the method on the class."""

    def __new__(cls, name: str, gives: Any) -> Any:
        def method(self: Any, *_: Any) -> Any:
            if isinstance(gives, type) and issubclass(gives, Exception):
                raise gives("no")
            return gives

        return type("Odd", (), {name: method})()


def cyclic(value: Any) -> Any:
    """A list, or a dict, that holds itself."""
    if isinstance(value, list):
        value.append(value)
    if isinstance(value, dict):
        value["X-Velora-Signature"] = value
    return value


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.binary(max_size=20)
    | NAMES
    | SIGNATURES
    | SIGNATURES.map(str.encode)
)
HASHABLE = PLAIN | st.tuples(PLAIN) | st.tuples(PLAIN, PLAIN)
RAISED = st.sampled_from(
    [
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        StopIteration,
        AttributeError,
        RecursionError,
        MemoryError,
        UnicodeError,
    ]
)
METHODS = st.sampled_from(["items", "multi_items", "keys", "raw", "getlist", "get"])
DUNDERS = st.sampled_from(
    [
        "__iter__",
        "__len__",
        "__getitem__",
        "__bytes__",
        "__buffer__",
        "__str__",
        "__hash__",
        "__eq__",
        "__bool__",
        "__index__",
    ]
)


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects made of objects."""
    pairs = st.lists(st.tuples(NAMES | inner, inner), max_size=4)
    return (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(NAMES | HASHABLE, inner, max_size=4)
        | pairs
        | pairs.map(lambda pairs: [list(pair) for pair in pairs])
        | st.lists(inner, max_size=3).map(cyclic)
        | st.dictionaries(NAMES, inner, max_size=3).map(cyclic)
        | st.builds(Odd, METHODS, inner | pairs | RAISED)
        | st.builds(OddClass, METHODS | DUNDERS, inner | RAISED)
        | pairs.map(iter)
        | inner.map(lambda value: lambda: value)
    )


ANYTHING = st.recursive(PLAIN, grown, max_leaves=8)
HEADERS = grown(ANYTHING) | ANYTHING


@given(scheme=st.sampled_from(SCHEMES), headers=HEADERS)
def test_any_headers(scheme: str, headers: Any) -> None:
    try:
        assert isinstance(VERIFIERS[scheme].verify(BODY, headers, NOW), Delivery)
    except VeloraError as error:
        assert error.code


@given(scheme=st.sampled_from(SCHEMES), body=ANYTHING, now=st.none() | st.floats())
def test_any_body(scheme: str, body: Any, now: float | None) -> None:
    try:
        assert isinstance(VERIFIERS[scheme].verify(body, SIGNED, now), Delivery)
    except VeloraError as error:
        assert error.code
    try:
        signed = SIGNERS[scheme].sign(body, now)
    except VeloraError as error:
        assert error.code in ("body_already_parsed", "invalid_option")
    else:
        assert signed.body == bytes(memoryview(body))


@given(secrets=ANYTHING, scheme=st.sampled_from(SCHEMES) | ANYTHING)
def test_any_secrets(secrets: Any, scheme: Any) -> None:
    for make in [
        lambda: Verifier(scheme, secrets),
        lambda: Signer(scheme, secrets),
        lambda: SigningSecret(secrets),
    ]:
        try:
            make()
        except VeloraError as error:
            assert error.code


@given(headers=HEADERS, body=ANYTHING | st.just(BODY))
def test_any_request_is_answered_or_misuse(headers: Any, body: Any) -> None:
    receiver = Receiver(VERIFIERS["health"], MemoryStore())
    try:
        reply = receiver.receive(body, headers, lambda event: None)
    except VeloraError as error:
        assert error.code in ("body_already_parsed", "unreadable_headers")
    else:
        assert isinstance(reply, Reply)
        assert 200 <= reply.status < 600


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            ANY_TEXT
            | st.sampled_from(
                [
                    "id",
                    "type",
                    "eventId",
                    "eventType",
                    "event",
                    "timestamp",
                    "data",
                    "actor",
                    "resource",
                    "details",
                    "event_id",
                    "action",
                    "fields_accessed",
                    "startedAt",
                    "streamId",
                    "userId",
                    "phi_involved",
                ]
            ),
            inner
            | st.sampled_from(
                [
                    "stream.online",
                    "phi.read",
                    "2026-05-03T14:22:01Z",
                    "9999-12-31T23:59:60Z",
                    "-009999-01-01T00:00:00Z",
                    '{"a":1}',
                    "[",
                    "",
                ]
            ),
            max_size=6,
        )
    ),
    max_leaves=20,
)

OBJECTS = st.dictionaries(
    st.sampled_from(["id", "type", "eventId", "eventType", "event", "event_id", "action"]),
    st.text(min_size=1, max_size=5) | JSON,
    min_size=2,
)


@given(
    scheme=st.sampled_from(SCHEMES),
    body=(JSON | OBJECTS).map(json.dumps).map(str.encode) | st.binary(max_size=40),
)
def test_any_signed_body_is_an_event_or_none(scheme: str, body: bytes) -> None:
    signed = SIGNERS[scheme].sign(body, NOW)
    assert signed.body == body
    delivery = VERIFIERS[scheme].verify(signed.body, signed.headers, NOW)
    delivery.check_headers()
    assert delivery.body == body
    try:
        key = delivery.key
    except VeloraError as error:
        assert error.code == "malformed_event"
    else:
        assert key.isascii()
        assert len(key) <= 255
    try:
        event = delivery.event
    except VeloraError as error:
        assert error.code == "malformed_event"
        return
    assert event.raw.encode() == body
    assert event.to_dict() == json.loads(body)
    assert isinstance(repr(event), str)
    assert pickle.loads(pickle.dumps(event)) == event
    hash(event)
    assert delivery.key == key


GETTERS = [
    "event_id",
    "timestamp",
    "action",
    "type",
    "user_id",
    "user_role",
    "resource_type",
    "resource_id",
    "fields_accessed",
    "phi_involved",
    "tenant_id",
    "source_ip",
    "user_agent",
    "justification",
    "success",
    "details",
    "raw",
]


@example(text=r'{"id": "0", "type": {"\ud800": null}}', name="")
@given(
    text=(JSON | OBJECTS).map(json.dumps)
    | (JSON | OBJECTS).map(lambda value: json.dumps(value, indent=2))
    | ANY_TEXT,
    name=ANY_TEXT,
)
def test_any_text_is_an_audit_event_or_none(text: str, name: str) -> None:
    try:
        text.encode()
        name.encode()
    except UnicodeEncodeError:
        return
    try:
        event = health.AuditEvent.from_json(text)
    except VeloraError as error:
        assert error.code == "malformed_response"
        return
    members = json.loads(text)
    assert isinstance(members, dict)
    assert event.to_dict() == members
    for getter in GETTERS:
        getattr(event, getter)
    assert event.member(name) == members.get(name)
    for member in members:
        if member.isascii():
            assert event.member(member) == members[member]
    line = event.line
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line) == members
    assert isinstance(repr(event), str)
    again = pickle.loads(pickle.dumps(event))
    assert (again, hash(again), again.raw) == (event, hash(event), event.raw)
    assert event.key is None or event.key.startswith("health:")
