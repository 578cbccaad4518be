"""Canaries: a secret, a key, a token, a body and an expected signature are shown nowhere."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import hashlib
import hmac
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import velora
from deliveries import BODY, NOW
from scripted import Server, answer
from velora import (
    MemoryStore,
    Receiver,
    Scheme,
    Signer,
    SigningSecret,
    Verifier,
    billing,
    curae,
    health,
    tv,
)

SECRET = "canary-of-the-secret"
KEY = "canary-of-the-key"
CURAE = "cae_test_canary-of-the-key"
PATIENT = "canary-of-the-body"
BODY_OF = json.dumps(
    {
        "id": "evt_1",
        "type": "phi.read",
        "eventId": "evt_1",
        "eventType": "a.b",
        "event": "a.b",
        "actor": {"user_id": PATIENT, PATIENT: PATIENT},
        "resource": {"id": PATIENT},
        "details": {"x": PATIENT},
        "data": {"x": PATIENT},
        "tenant_id": PATIENT,
        "y": PATIENT,
    }
).encode()
EXPECTED = hmac.new(SECRET.encode(), b"t=%d." % NOW + BODY_OF, hashlib.sha256).hexdigest()
SCHEMES = ["health", "billing", "curae", "tv", "tv-body-only"]


def clean(shown: str) -> None:
    assert "canary" not in shown, shown
    assert EXPECTED not in shown, shown


def shown_of(value: Any) -> str:
    return "\n".join([repr(value), str(value), f"{value}", ascii([value])])


def test_no_value_shows_it() -> None:
    secret = SigningSecret(SECRET)
    verifier = Verifier("health", [SECRET, secret])
    signed = Signer("health", SECRET).sign(BODY_OF, NOW)
    values = [
        secret,
        verifier,
        Signer("health", SECRET),
        signed,
        verifier.verify(signed.body, signed.headers, NOW),
        Receiver(verifier, MemoryStore()),
        velora.AsyncReceiver(verifier, MemoryStore()),
        MemoryStore(),
        health.Client(KEY),
        health.AsyncClient(KEY),
        billing.Client(KEY),
        billing.AsyncClient(KEY),
        curae.Client(CURAE),
        curae.AsyncClient(CURAE),
        tv.Client(KEY),
        tv.AsyncClient(KEY),
        tv.Client(lambda: KEY),
        tv.AsyncClient(lambda: KEY),
        health.Client(KEY).webhooks,
        health.Client(KEY).events(),
        health.AsyncClient(KEY).events(),
        Scheme.named("health"),
        health.AuditEvent.from_json(
            json.dumps({"event_id": "1", "action": "a", "user_id": PATIENT})
        ),
    ]
    for value in values:
        clean(shown_of(value))
        if hasattr(value, "__dict__"):
            clean(repr(vars(value)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_event_shows_it(scheme: str) -> None:
    signed = Signer(scheme, SECRET).sign(BODY_OF, NOW)
    event = Verifier(scheme, SECRET).verify(signed.body, signed.headers, NOW).event
    clean(shown_of(event))
    assert PATIENT in event.raw
    for name in ["actor", "resource"]:
        clean(shown_of(getattr(event, name, None)))


def test_an_event_of_ones_own_scheme_shows_nothing() -> None:
    scheme = Scheme("mine", "S", prefix="")
    signed = Signer(scheme, SECRET).sign(BODY_OF)
    clean(shown_of(Verifier(scheme, SECRET).verify(signed.body, signed.headers).event))


def refusing(body: Any) -> Callable[[int, Any], bytes]:
    return lambda number, request: answer(422, body)


SAID = {
    "error": PATIENT,
    "detail": KEY,
    "issues": [{"code": "c", "path": ["p"], "message": KEY}],
}


def failures() -> dict[str, Callable[[Server, Path], object]]:
    """What fails, in every way there is."""
    verifier = Verifier("health", SECRET)
    curae_signed = Signer("curae", SECRET).sign(BODY_OF, NOW)
    forged = [("X-Velora-Signature", f"t={NOW},v1={'0' * 64}")]
    odd = Signer("health", SECRET).sign(b'{"' + PATIENT.encode() + b'": 1', NOW)

    def contradicted() -> curae.Event:
        headers = dict(curae_signed.headers) | {"CuraeAI-Event-Id": PATIENT}
        return Verifier("curae", SECRET).verify(BODY_OF, headers, NOW).event

    def token() -> str:
        raise LookupError(KEY)

    async def awaited(system: Any, server: Server, path: Path) -> None:
        async with system.AsyncClient(KEY, **server.options()) as client:
            await client.webhooks.create("https://example.com", description="SIEM")

    return {
        "a secret with white space": lambda s, p: Verifier("health", SECRET + " "),
        "a secret among others": lambda s, p: Signer("health", [SECRET, SECRET + "\n"]),
        "an odd secret": lambda s, p: SigningSecret(SECRET + "\t"),
        "an unknown scheme": lambda s, p: Verifier("guess", SECRET),
        "a forged delivery": lambda s, p: verifier.verify(BODY_OF, forged, NOW),
        "a stale delivery": lambda s, p: verifier.verify(BODY_OF, forged, NOW + 900),
        "a malformed header": lambda s, p: verifier.verify(
            BODY_OF, {"X-Velora-Signature": PATIENT}
        ),
        "a parsed body": lambda s, p: verifier.verify(json.loads(BODY_OF), forged),
        "a text": lambda s, p: verifier.verify(BODY_OF.decode(), forged),
        "odd headers": lambda s, p: verifier.verify(BODY, {"X-Velora-Signature": [[PATIENT]]}),
        "a contradiction": lambda s, p: contradicted(),
        "a malformed event": lambda s, p: verifier.verify(odd.body, odd.headers, NOW).event,
        "a malformed key": lambda s, p: verifier.verify(odd.body, odd.headers, NOW).key,
        "a key with white space": lambda s, p: health.Client(KEY + " "),
        "an async key": lambda s, p: health.AsyncClient(KEY + " "),
        "a billing key": lambda s, p: billing.Client(KEY + "\n"),
        "a curae key": lambda s, p: curae.Client(KEY),
        "a curae environment": lambda s, p: curae.Client(
            CURAE, base_url="https://api.curaeai.com"
        ),
        "a tv token": lambda s, p: tv.Client(KEY + " "),
        "an odd URL": lambda s, p: health.Client(
            KEY, base_url="https://user:password@example.com"
        ),
        "an odd option": lambda s, p: health.Client(KEY, attempts=0),
        "an unknown option": lambda s, p: health.Client(KEY, **{"colour": 1}),
        "a call": lambda s, p: health.Client(KEY, **s.options()).probe(),
        "a listing": lambda s, p: list(health.Client(KEY, **s.options()).events()),
        "a registration": lambda s, p: health.Client(KEY, **s.options()).webhooks.create(
            "https://example.com", description="SIEM"
        ),
        "an awaited call": lambda s, p: asyncio.run(awaited(health, s, p)),
        "a billing call": lambda s, p: billing.Client(KEY, **s.options()).recon_summary(),
        "a curae call": lambda s, p: curae.Client(CURAE, **s.options()).webhooks.get("whe_1"),
        "a tv call": lambda s, p: tv.Client(KEY, **s.options()).create_webhook("a", "b", []),
        "a tv stream": lambda s, p: next(tv.Client(KEY, **s.options()).events()),
        "a token that raises": lambda s, p: next(tv.Client(token, **s.options()).events()),
        "an odd token": lambda s, p: next(tv.Client(lambda: KEY + " ", **s.options()).events()),
        "no event": lambda s, p: health.AuditEvent.from_json(PATIENT),
        "half an event": lambda s, p: health.AuditEvent.from_json('{"' + PATIENT),
    }


@pytest.mark.parametrize("name", failures())
def test_no_exception_shows_it(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(refusing(SAID)) as server:
        try:
            failures()[name](server, tmp_path)
        except (velora.VeloraError, TypeError) as caught:
            error = caught
        else:
            raise AssertionError("it does not fail")
    clean(shown_of(error))
    clean("".join(traceback.format_exception(error)).split("Traceback")[0])
    clean(ours(error))
    if not isinstance(error, velora.ApiError):
        assert b"canary" not in pickle.dumps(error)
    else:
        # What the system said is there for who asks for it, but for the key that was sent.
        sent = CURAE if name == "a curae call" else KEY
        assert error.raw in ("", json.dumps(SAID).replace(sent, "***"))
        assert CURAE.encode() not in pickle.dumps(error)
    clean(caplog.text)


def ours(error: BaseException) -> str:
    """The traceback of all frames that are not of this file, with what they hold."""
    shown, seen = [], set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        frames = traceback.TracebackException.from_exception(at, capture_locals=True)
        for frame in frames.stack:
            if "velora/python" in frame.filename or "velora-py/python" in frame.filename:
                shown.append(f"{frame.filename}:{frame.lineno} {frame.locals}")
        shown.append(f"{type(at)} {at} {at.args} {getattr(at, '__notes__', None)}")
        at = at.__cause__ or at.__context__
    return "\n".join(shown)


def test_a_pickle_of_an_error_holds_no_key() -> None:
    with Server(lambda number, request: answer(403, {"error": "no"})) as server:
        client = health.Client(KEY, **server.options())
        with pytest.raises(velora.ApiError) as raised:
            client.probe()
        assert b"canary" not in pickle.dumps(raised.value)


def test_a_secret_in_an_odd_answer_is_in_no_error() -> None:
    body = {"secret": "canary", "id": 1}
    with Server(lambda number, request: answer(201, body)) as server:
        webhooks = health.Client("key", **server.options()).webhooks
        with pytest.raises(velora.ApiError) as raised:
            webhooks.create("https://example.com")
        assert (raised.value.code, raised.value.raw) == ("malformed_response", "")


def test_a_registration_shows_no_secret() -> None:
    endpoint = {"id": "wh_1", "url": "https://example.com"}
    with Server(
        lambda n, r: answer(201, {"endpoint": endpoint, "secret": "canary" * 10})
    ) as server:
        made = health.Client("key", **server.options()).webhooks.create("https://example.com")
    clean(shown_of(made))
    data = {"id": "whe_1", "signingSecret": "canary" * 10}
    with Server(lambda n, r: answer(201, {"data": data})) as server:
        registered = curae.Client("cae_test_x", **server.options()).webhooks.create(
            "https://e.com", []
        )
    clean(shown_of(registered))
    with Server(lambda n, r: answer(201, {"id": "a", "secret": "canary" * 10})) as server:
        clean(shown_of(tv.Client("token", **server.options()).create_webhook("a", "b", [])))


def test_a_result_with_a_secret_can_be_copied() -> None:
    body = {"endpoint": {"id": "wh_1"}, "secret": "canary"}
    with Server(lambda number, request: answer(201, body)) as server:
        made = health.Client("key", **server.options()).webhooks.create("https://example.com")
    copied: Any = dataclasses.asdict(made)
    for secret in [copied["secret"], copy.copy(made.secret), copy.deepcopy(made).secret]:
        assert secret is made.secret
    clean(repr(copied))


def test_a_secret_is_neither_pickled_nor_compared() -> None:
    secret = SigningSecret(SECRET)
    for value in [
        secret,
        Verifier("health", SECRET),
        Signer("health", SECRET),
        health.Client(KEY),
    ]:
        with pytest.raises(TypeError):
            pickle.dumps(value)
    assert secret != SigningSecret(SECRET)


def test_an_event_that_is_malformed_says_no_value() -> None:
    for body in [b'{"id":"%s"}', b'{"id":1,"type":"%s"}', b'["%s"]', b"%s"]:
        signed = Signer("health", SECRET).sign(body % PATIENT.encode(), NOW)
        delivery = Verifier("health", SECRET).verify(signed.body, signed.headers, NOW)
        with pytest.raises(velora.VerificationError) as raised:
            _ = delivery.event
        clean(shown_of(raised.value))
