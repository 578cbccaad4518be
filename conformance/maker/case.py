"""Building cases: a delivery as its system would send it, and changes to it."""

import base64
from dataclasses import dataclass, replace

from maker.rules import SCHEMES, signature

# The secret, body and time of the check vectors. The other cases have a shorter
# secret, for the sake of shorter lines.
CHECK_SECRET = "0123456789abcdef" * 4
SECRET = "a secret for tests"
OTHER_SECRET = "another secret"
BODY = b'{"id":"evt_1","n":1}'
T = 1717423320

OK = None

# A body as each system sends it.
EVENTS = {
    "health": b'{"id":"8b2e5c11-1234-4abc-89de-0123456789ab","type":"phi.read",'
    b'"timestamp":"2026-05-03T14:22:01+00:00","tenant_id":"acme",'
    b'"actor":{"user_id":"u-1234","user_role":"data_analyst"},'
    b'"resource":{"type":"claim","id":"C-7890"},"phi_involved":true,"success":true,'
    b'"details":{"workflow":"renewal"},"schema_version":"1"}',
    "billing": b'{"type":"dispute.sla_breached","disputeId":"dsp_42","hoursOver":6}',
    "curae": b'{"eventType":"records.export_ready","eventId":"evt_c1","data":{"exportId":"exp_9"}}',
    "tv": b'{"id":"evt_abc123","type":"stream.online","timestamp":"2026-01-18T15:30:00Z",'
    b'"data":{"streamId":"stream_xyz","userId":"user_123","username":"coolstreamer"}}',
    "tv-body-only": b'{"event":"channel.follow","timestamp":"2026-01-18T15:30:00Z",'
    b'"data":{"userId":"user_123"}}',
}


@dataclass(frozen=True)
class Case:
    """One request of the conformance command."""

    scheme: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    now: int | float = T
    secrets: tuple[str, ...] | None = (SECRET,)
    raw_secrets: tuple[bytes, ...] | None = None
    tolerance: int | float | str | None = None

    def but(self, **changes) -> "Case":
        return replace(self, **changes)

    def with_secrets(self, *secrets: str) -> "Case":
        return self.but(secrets=secrets)

    def with_raw_secrets(self, *secrets: bytes) -> "Case":
        return self.but(secrets=None, raw_secrets=secrets)

    @property
    def sent(self) -> str:
        """The value of the signature header."""
        return next(v for k, v in self.headers if k == SCHEMES[self.scheme].signature_header)

    @property
    def hex(self) -> str:
        """The digits of the last signature in the header."""
        return self.sent[-64:]

    def signed_as(self, value: str) -> "Case":
        """Another value in the signature header."""
        return self.header(SCHEMES[self.scheme].signature_header, value)

    def stamped(self, value: str) -> "Case":
        """Another timestamp, under the old signature."""
        name = SCHEMES[self.scheme].timestamp_header
        if name:
            return self.header(name, value)
        return self.signed_as(f"t={value},v1={self.hex}")

    def header(self, name: str, value: str) -> "Case":
        """Replaces the value where the header stands, or appends it."""
        if name not in dict(self.headers):
            return self.add(name, value)
        return self.but(headers=tuple((k, value if k == name else v) for k, v in self.headers))

    def add(self, name: str, value: str) -> "Case":
        return self.but(headers=(*self.headers, (name, value)))

    def without(self, name: str) -> "Case":
        return self.but(headers=tuple(pair for pair in self.headers if pair[0] != name))

    def renamed(self, name: str, to: str) -> "Case":
        return self.but(headers=tuple((to if k == name else k, v) for k, v in self.headers))

    def request(self, case_id: str) -> dict:
        """The JSON object that the conformance command reads."""
        request = {"id": case_id, "scheme": self.scheme}
        if self.secrets is not None:
            request["secrets"] = list(self.secrets)
        if self.raw_secrets is not None:
            request["secrets_b64"] = [b64(secret) for secret in self.raw_secrets]
        request["body_b64"] = b64(self.body)
        request["headers"] = [list(pair) for pair in self.headers]
        request["now"] = self.now
        if self.tolerance is not None:
            request["tolerance"] = self.tolerance
        return request


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def delivery(
    scheme: str,
    body: bytes = BODY,
    stamp: int | str = T,
    secrets: tuple[str | bytes, ...] = (SECRET,),
    now: int | float = T,
) -> Case:
    """A delivery signed at `stamp` (seconds, or a text to be used as it is)."""
    rules = SCHEMES[scheme]
    if isinstance(stamp, int):
        stamp = str(stamp * 1000 if rules.unit == "ms" else stamp)
    digits = [signature(scheme, secret, stamp, body) for secret in secrets]
    if rules.prefix is None:
        value = ",".join([f"t={stamp}", *(f"v1={each}" for each in digits)])
        headers = ((rules.signature_header, value),)
    else:
        headers = (
            (rules.signature_header, rules.prefix + digits[0]),
            (rules.timestamp_header, stamp),
        )
    case = Case(scheme, body, headers, now=now)
    if isinstance(secrets[0], bytes):
        return case.with_raw_secrets(*secrets)
    return case.with_secrets(*secrets)


def event_delivery(scheme: str) -> Case:
    """The system's own kind of body, with the headers outside the MAC."""
    case = delivery(scheme, EVENTS[scheme])
    for name, value in UNSIGNED_HEADERS[scheme]:
        case = case.add(name, value)
    return case.add("Content-Type", "application/json")


UNSIGNED_HEADERS = {
    "health": (),
    "billing": (
        ("X-Webhook-Event", "dispute.sla_breached"),
        ("X-Webhook-Delivery", "del_abc123"),
        ("User-Agent", "Velora-Billing-Webhook/1.0"),
    ),
    "curae": (
        ("CuraeAI-Timestamp", str(T)),
        ("CuraeAI-Event-Id", "evt_c1"),
        ("CuraeAI-Event-Type", "records.export_ready"),
    ),
    "tv": (("X-Velora-Event", "stream.online"),),
    "tv-body-only": (("X-Velora-Event", "channel.follow"),),
}
