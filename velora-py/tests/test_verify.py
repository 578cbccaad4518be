"""The verdicts of a verifier, and the members of a delivery."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
import velora
from deliveries import (
    BODY,
    HEALTH_MAC,
    NOW,
    SCHEMES,
    SECRET,
    SIGNED,
    body_of,
    code_of,
    signed,
)
from velora import (
    ConfigError,
    CustomEvent,
    Scheme,
    SignedDelivery,
    Signer,
    SigningSecret,
    VerificationError,
    Verifier,
    billing,
    curae,
    health,
    tv,
)
from velora.events import OtherType

DIGEST = "9bc2546bef83c2a529557d46d102da7faa6a069887b4bfb5069d3293a8fdc7fe"
STAMPED = "cfc3572bd1a826301b484d0426346b483691aa9a32b03327c48481d7f57edf30"

PUBLISHED: dict[str, dict[str, str]] = {
    "health": {"X-Velora-Signature": f"t={NOW},v1={HEALTH_MAC}"},
    "billing": {
        "X-Webhook-Signature": f"sha256={DIGEST}",
        "X-Webhook-Timestamp": str(NOW),
    },
    "curae": {"CuraeAI-Signature": f"t={NOW},v1={STAMPED}"},
    "tv": {"X-Velora-Signature": f"sha256={STAMPED}", "X-Velora-Timestamp": str(NOW)},
    "tv-body-only": {"X-Velora-Signature": DIGEST, "X-Velora-Timestamp": f"{NOW}000"},
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_published_digest_is_genuine(scheme: str) -> None:
    delivery = Verifier(scheme, SECRET).verify(BODY, PUBLISHED[scheme], now=NOW)
    assert (delivery.scheme, delivery.body, delivery.secret_index) == (scheme, BODY, 0)
    is_signed = scheme not in ("billing", "tv-body-only")
    at = datetime.fromtimestamp(NOW, timezone.utc)
    assert delivery.signed_timestamp == (at if is_signed else None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_a_signer_makes_is_genuine(scheme: str) -> None:
    made = signed(scheme, NOW)
    assert isinstance(made, SignedDelivery)
    assert made.body == body_of(scheme)
    assert made == signed(scheme, NOW)
    assert made != signed(scheme, NOW, more=1)
    verifier = Verifier(scheme, SECRET)
    assert verifier.scheme == Signer(scheme, SECRET).scheme == scheme
    delivery = verifier.verify(made.body, made.headers, NOW)
    delivery.check_headers()
    assert delivery.event is delivery.event
    assert delivery.key.startswith(f"{scheme}:")
    other = Verifier(scheme, SECRET + "x")
    assert code_of(lambda: other.verify(made.body, made.headers, NOW)) == "signature_mismatch"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_clock_is_the_systems_unless_told(scheme: str) -> None:
    verifier = Verifier(scheme, SECRET)
    made = signed(scheme)
    assert verifier.verify(made.body, made.headers).body == made.body
    stale = signed(scheme, time.time() - 400)
    assert code_of(lambda: verifier.verify(stale.body, stale.headers)) == "timestamp_too_old"


def test_an_event_is_typed_and_fixed() -> None:
    made = signed("health", NOW, actor={"user_id": "u", "x": 1}, resource={"type": "claim"},
                  phi_involved=True, details={"a": [1, 2.5, None]}, later="new")  # fmt: skip
    event = Verifier("health", SECRET).verify(made.body, made.headers, NOW).event
    assert isinstance(event, health.Event)
    assert (event.type, event.id) == (health.EventType.PHI_READ, "evt_1")
    assert type(event.type) is health.EventType
    assert event.timestamp == datetime(2026, 5, 3, 14, 22, 1, tzinfo=timezone.utc)
    assert event.actor is not None
    assert event.actor.extra == {"x": 1}
    assert event.resource is not None
    assert event.resource.type == "claim"
    assert (event.phi_involved, event.success, event.details) == (
        True,
        None,
        {"a": [1, 2.5, None]},
    )
    assert event.extra == {"later": "new"}
    assert event.raw.encode() == made.body
    with pytest.raises(AttributeError):
        event.id = "other"
    assert event == Verifier("health", SECRET).verify(made.body, made.headers, NOW).event
    assert len({event, event}) == 1


def test_each_system_has_its_event() -> None:
    classes = {"health": health.Event, "billing": billing.Event, "curae": curae.Event,
               "tv": tv.Event, "tv-body-only": tv.BodyOnlyEvent}  # fmt: skip
    for scheme, event_class in classes.items():
        made = signed(scheme, NOW)
        event = Verifier(scheme, SECRET).verify(made.body, made.headers, NOW).event
        assert type(event) is event_class
    assert isinstance(tv_event(signed("tv", NOW)).data, tv.StreamOnline)
    unknown = tv_event(signed("tv", NOW, type="stream.paused"))
    assert (type(unknown.type), unknown.type) == (OtherType, "stream.paused")


def tv_event(made: SignedDelivery) -> Any:
    return Verifier("tv", SECRET).verify(made.body, made.headers, NOW).event


def test_a_delivery_says_what_happened() -> None:
    def delivered(scheme: Any, body: bytes, *more: tuple[str, str]) -> velora.Delivery[Any]:
        made = Signer(scheme, SECRET).sign(body, NOW)
        return Verifier(scheme, SECRET).verify(made.body, [*made.headers, *more], NOW)

    for scheme in SCHEMES:
        delivery = delivered(scheme, body_of(scheme))
        assert delivery.event_type == delivery.event.type
        assert type(delivery.event_type) is str
        assert code_of(lambda: delivered(scheme, b"[]").event_type) == "malformed_event"  # noqa: B023
        # A member that every event of the system has; where it has none, nothing says it.
        if scheme != "billing":
            assert code_of(lambda: delivered(scheme, b"{}").event_type) == "malformed_event"  # noqa: B023
    assert delivered("health", body_of("health", type="a.b")).event_type == "a.b"
    assert delivered("billing", b"{}").event_type is None
    hint = ("X-Webhook-Event", "dispute.opened")
    assert delivered("billing", b"{}", hint).event_type == "dispute.opened"
    contradicted = Signer("curae", SECRET).sign(body_of("curae"), NOW)
    headers = dict(contradicted.headers) | {"CuraeAI-Event-Type": "user.graduated"}
    delivery = Verifier("curae", SECRET).verify(contradicted.body, headers, NOW)
    assert code_of(lambda: delivery.event_type) == "header_body_mismatch"
    own = Scheme("mine", "X-Sig")
    assert delivered(own, b'{"type":"a"}').event_type is None
    assert code_of(lambda: delivered(own, b"a=1").event_type) == "malformed_event"


def test_a_billing_type_says_whether_it_was_signed() -> None:
    made = signed("billing", NOW)
    verifier = Verifier("billing", SECRET)
    event = verifier.verify(made.body, made.headers, NOW).event
    assert (event.type, event.type_is_signed) == ("dispute.sla_breached", True)
    bare = Signer("billing", SECRET).sign(b'{"a":1}', NOW)
    headers = [*bare.headers, ("X-Webhook-Event", "dispute.opened")]
    event = verifier.verify(bare.body, headers, NOW).event
    assert (event.type, event.type_is_signed, event.members) == (
        "dispute.opened",
        False,
        {"a": 1},
    )
    event = verifier.verify(bare.body, bare.headers, NOW).event
    assert (event.type, event.type_is_signed) == (None, False)


def test_either_of_two_secrets_matches_during_a_rotation() -> None:
    verifier = Verifier("curae", ["the old one", SigningSecret("the new one"), b"raw \xff"])
    for index, secret in enumerate(["the old one", "the new one", b"raw \xff"]):
        made = Signer("curae", secret).sign(body_of("curae"), NOW)
        assert verifier.verify(made.body, made.headers, NOW).secret_index == index
    both = Signer("curae", ("unknown", "the new one")).sign(body_of("curae"), NOW)
    assert dict(both.headers)["CuraeAI-Signature"].count("v1=") == 2
    assert verifier.verify(both.body, both.headers, NOW).secret_index == 1
    neither = Signer("curae", ["a", "b"]).sign(body_of("curae"), NOW)
    refused = code_of(lambda: verifier.verify(neither.body, neither.headers, NOW))
    assert refused == "signature_mismatch"


@pytest.mark.parametrize(("tolerance", "edge"), [(None, 300), (60, 60), (0, 0), (60.9, 60)])
def test_the_edge_of_the_tolerance_passes(tolerance: float | None, edge: int) -> None:
    verifier = Verifier("health", SECRET, tolerance=tolerance)
    for now in [NOW - edge, NOW, NOW + 0.5, NOW + edge, NOW + edge + 0.999]:
        verifier.verify(BODY, SIGNED, now)
    late = code_of(lambda: verifier.verify(BODY, SIGNED, NOW + edge + 1))
    early = code_of(lambda: verifier.verify(BODY, SIGNED, now=NOW - edge - 1))
    assert (late, early) == ("timestamp_too_old", "timestamp_in_future")


def test_no_age_at_all_is_dangerous_by_name() -> None:
    verifier = Verifier("health", SECRET, dangerous_no_tolerance=True)
    for now in [0, NOW, 10**12]:
        verifier.verify(BODY, SIGNED, now)
    assert code_of(lambda: verifier.verify(BODY + b" ", SIGNED, NOW)) == "signature_mismatch"


def test_the_time_is_seconds_or_an_aware_datetime() -> None:
    verifier, signer = Verifier("health", SECRET, tolerance=0), Signer("health", SECRET)
    for zone in [timezone.utc, timezone(timedelta(hours=-7))]:
        at = datetime.fromtimestamp(NOW, zone)
        assert verifier.verify(BODY, SIGNED, at).body == BODY
        assert verifier.verify(BODY, SIGNED, at + timedelta(microseconds=999_999))
        assert signer.sign(BODY, at) == signer.sign(BODY, NOW)
        for seconds, code in [(1, "timestamp_too_old"), (-1, "timestamp_in_future")]:
            other = at + timedelta(seconds=seconds)
            assert code_of(lambda: verifier.verify(BODY, SIGNED, now=other)) == code  # noqa: B023
    of_millis = Signer("tv-body-only", SECRET)
    for seconds in [0.25, -0.0005, NOW + 0.001]:
        at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
        assert of_millis.sign(b"{}", at) == of_millis.sign(b"{}", seconds)


def test_a_now_that_is_none_is_refused() -> None:
    verifier = Verifier("health", SECRET)
    naive = datetime(2026, 5, 1)
    odd: list[Any] = ["1717423320", "2026-05-01T00:00:00Z", b"1", naive, naive.date(), object()]
    for now in [float("nan"), float("inf"), -float("inf"), *odd]:
        for headers in [SIGNED, None]:
            refused = code_of(lambda: verifier.verify(BODY, headers, now))  # noqa: B023
            assert refused == "invalid_option"
        assert code_of(lambda: Signer("health", SECRET).sign(BODY, now)) == "invalid_option"  # noqa: B023


def test_what_a_verifier_cannot_be_made_of() -> None:
    for arguments, options, code in [
        (("guess", SECRET), {}, "unknown_scheme"),
        (("Health", SECRET), {}, "unknown_scheme"),
        (("health", []), {}, "no_secret"),
        (("health", ""), {}, "empty_secret"),
        (("health", b""), {}, "empty_secret"),
        (("health", ["x", ""]), {}, "empty_secret"),
        (("health", " x"), {}, "secret_has_whitespace"),
        (("health", "x\n"), {}, "secret_has_whitespace"),
        (("health", SECRET), {"tolerance": -1}, "invalid_tolerance"),
        (("health", SECRET), {"tolerance": float("nan")}, "invalid_tolerance"),
        (("health", SECRET), {"tolerance": float("inf")}, "invalid_tolerance"),
        (
            ("health", SECRET),
            {"tolerance": 1, "dangerous_no_tolerance": True},
            "invalid_option",
        ),
        (("guess", ""), {"tolerance": -1}, "unknown_scheme"),
        (("health", ""), {"tolerance": -1}, "empty_secret"),
        (("health", None), {}, "no_secret"),
        # Its keys are no secrets: anybody may know them.
        (("health", {"primary": SECRET}), {}, "invalid_option"),
        (("health", MappingProxyType({"primary": SECRET})), {}, "invalid_option"),
        (("health", 5), {}, "invalid_option"),
        (("health", [None]), {}, "invalid_option"),
        (("health", [[SECRET]]), {}, "invalid_option"),
        (("health", "\ud800"), {}, "invalid_option"),
        ((None, SECRET), {}, "invalid_option"),
        ((b"health", SECRET), {}, "invalid_option"),
    ]:
        with pytest.raises(ConfigError) as raised:
            Verifier(*arguments, **options)
        assert raised.value.code == code, (arguments, options)
        if not options:
            with pytest.raises(ConfigError) as raised:
                Signer(*arguments)
            assert raised.value.code == code
    odd: Any = timedelta(seconds=5)
    with pytest.raises(TypeError, match="`tolerance`: expected a number, not timedelta"):
        Verifier("health", SECRET, tolerance=odd)


def test_a_header_of_one_signature_takes_one_secret() -> None:
    for scheme in ["billing", "tv", "tv-body-only"]:
        assert code_of(lambda: Signer(scheme, ["a", "b"])) == "too_many_secrets"  # noqa: B023
        assert Verifier(scheme, ["a", "b"]).scheme == scheme


def test_a_secret_is_text_bytes_or_one_of_ours() -> None:
    for given in [
        SECRET,
        SECRET.encode(),
        SigningSecret(SECRET),
        SigningSecret(SigningSecret(SECRET)),
    ]:
        assert SigningSecret(given).expose_secret() == SECRET.encode()
        assert Verifier("health", given).verify(BODY, SIGNED, NOW)
    assert SigningSecret(b" \n").expose_secret() == b" \n"
    assert code_of(lambda: SigningSecret("")) == "empty_secret"
    assert code_of(lambda: SigningSecret("x ")) == "secret_has_whitespace"
    assert code_of(lambda: SigningSecret(5)) == "invalid_option"


SLACK: dict[str, Any] = {
    "prefix": "v0=",
    "timestamp_header": "X-Slack-Request-Timestamp",
    "signed_payload": ("v0:", ":"),
}


def test_a_scheme_of_ones_own() -> None:
    slack = Scheme("slack", "X-Slack-Signature", **SLACK)
    assert slack == Scheme("slack", "X-Slack-Signature", **SLACK) != Scheme.named("health")
    # The vendor's published example.
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&"
        b"channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
        b"command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015"
        b".47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Signature": "v0="
        "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "X-Slack-Request-Timestamp": "1531420618",
    }
    verifier = Verifier(slack, "8f742231b10e8888abcd99yyyzzz85a5")
    delivery = verifier.verify(body, headers, 1531420618)
    assert (verifier.scheme, delivery.scheme) == ("slack", "slack")
    assert delivery.key.startswith("slack:")
    assert code_of(lambda: delivery.event) == "malformed_event"
    late = code_of(lambda: verifier.verify(body, headers, 1531420618 + 301))
    assert late == "timestamp_too_old"


def test_a_scheme_of_ones_own_has_events_and_keys() -> None:
    scheme = Scheme("mine", "X-Sig", signed_payload=("", "."), identity=["id", "kind"])
    made = Signer(scheme, SECRET).sign(b'{"id":"1","kind":"a","n":[1]}', NOW)
    delivery = Verifier(scheme, SECRET).verify(made.body, made.headers, NOW)
    assert delivery.key == "mine:1:a"
    event = delivery.event
    assert isinstance(event, CustomEvent)
    assert event.members == event.to_dict() == {"id": "1", "kind": "a", "n": [1]}
    assert delivery.event_type is None
    repeated = Signer(scheme, SECRET).sign(b'{"id":"1","kind":"a","n":1,"n":2}', NOW)
    event = Verifier(scheme, SECRET).verify(repeated.body, repeated.headers, NOW).event
    assert event.members == {"id": "1", "kind": "a", "n": 2}
    unidentified = Signer(scheme, SECRET).sign(b'{"id":"1"}', NOW)
    delivery = Verifier(scheme, SECRET).verify(unidentified.body, unidentified.headers, NOW)
    assert code_of(lambda: delivery.key) == "malformed_event"


def test_a_scheme_of_milliseconds() -> None:
    scheme = Scheme("ms", "S", prefix="", timestamp_header="T",
                    timestamp_unit="milliseconds", signed_payload=("", "|"))  # fmt: skip
    made = Signer(scheme, SECRET).sign(b"{}", NOW + 0.25)
    assert dict(made.headers)["T"] == f"{NOW}250"
    delivery = Verifier(scheme, SECRET).verify(made.body, made.headers, NOW)
    assert delivery.signed_timestamp == datetime.fromtimestamp(NOW + 0.25, timezone.utc)


def test_a_scheme_that_contradicts_itself_is_refused() -> None:
    for scheme in [
        Scheme("", "S"),
        Scheme("x", ""),
        Scheme("x", "bad name"),
        Scheme("x", "S", prefix="", signed_payload=("", ".")),
        Scheme("x", "S", prefix="", timestamp_header="s"),
        *(Scheme(name, "S") for name in SCHEMES),
    ]:
        assert code_of(lambda: Verifier(scheme, SECRET)) == "invalid_scheme"  # noqa: B023
        assert code_of(lambda: Signer(scheme, SECRET)) == "invalid_scheme"  # noqa: B023
    assert code_of(lambda: Scheme.named("guess")) == "unknown_scheme"
    assert code_of(lambda: Scheme("x", "S", timestamp_unit="seconds")) == "invalid_option"
    odd_unit: Any = "days"
    odd = {"timestamp_header": "T", "timestamp_unit": odd_unit}
    assert code_of(lambda: Scheme("x", "S", **odd)) == "invalid_option"
    with pytest.raises(TypeError):
        Scheme("x", "S", colour="red")
    with pytest.raises(TypeError, match="`identity`: expected a list of str, not str"):
        Scheme("x", "S", identity="id")


def test_every_error_says_which_kind_it_is() -> None:
    with pytest.raises(VerificationError) as refused:
        Verifier("health", SECRET).verify(b"x", SIGNED, NOW)
    assert isinstance(refused.value, velora.VeloraError)
    with pytest.raises(ConfigError) as misuse:
        Verifier("health", SECRET).verify(None, SIGNED, NOW)
    assert isinstance(misuse.value, velora.VeloraError)


def test_what_was_verified_is_made_by_a_verifier_alone() -> None:
    for made in [velora.Delivery, SignedDelivery, health.AuditEvent, health.Manifest]:
        with pytest.raises(TypeError):
            made()
        with pytest.raises(TypeError):
            type("Forged", (made,), {})
