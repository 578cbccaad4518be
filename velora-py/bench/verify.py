"""`verify` beside the vendor's own sample and the SDKs it is compared with, in one run. The
signature is taken from a dict of 12 headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import timeit
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import standardwebhooks
import stripe
import svix
import velora
from rounds import interleave, verdict

SECRET = "0123456789abcdef" * 4
WHSEC = "whsec_" + base64.b64encode(SECRET.encode()).decode()

SIZES = [350, 1024, 4096, 16 * 1024, 64 * 1024, 1024 * 1024]

# Of the vendor's sample, and of stripe.
TARGETS = {350: 0.19, 1024: 0.30, 4096: 0.55}
STRIPE_TARGET = 0.13

OTHERS = {
    "host": "receiver.example",
    "user-agent": "Velora-Webhooks/2",
    "accept": "*/*",
    "accept-encoding": "gzip",
    "connection": "close",
    "content-length": "350",
    "content-type": "application/json",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "x-forwarded-for": "203.0.113.42",
    "x-forwarded-proto": "https",
    "x-request-id": "8b2e5c11-1234-4abc-89de-0123456789ab",
}


def seed_verify(body: bytes, header: str) -> bool:
    """Velora Health, *Code samples: Verify a webhook delivery*."""
    parts = dict(p.split("=", 1) for p in header.split(","))
    t = int(parts["t"])
    if abs(int(time.time()) - t) > 300:
        return False
    expected = hmac.new(SECRET.encode(), f"t={t}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


def body_of(size: int) -> bytes:
    head = b'{"id":"8b2e5c11","type":"phi.read","details":{"text":"'
    return head + b"x" * (size - len(head) - 3) + b'"}}'


Check = Callable[[bytes, dict[str, str]], Any]


def contenders(body: bytes) -> dict[str, tuple[Check, dict[str, str]]]:
    """What each calls, and the headers that its system would send."""
    now = int(time.time())
    verifier = velora.Verifier("health", SECRET)
    velora_headers = dict(velora.Signer("health", SECRET).sign(body).headers)
    signature = velora_headers["X-Velora-Signature"]
    stripe_mac = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256)
    standard = standardwebhooks.Webhook(WHSEC)
    at = datetime.fromtimestamp(now, tz=timezone.utc)
    standard_headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": standard.sign("msg_1", at, body.decode()),
    }
    svix_hook = svix.Webhook(WHSEC)
    svix_headers = {name.replace("webhook", "svix"): v for name, v in standard_headers.items()}

    def from_seed(body: bytes, headers: dict[str, str]) -> None:
        if not seed_verify(body, headers["x-velora-signature"]):
            raise ValueError("refused")

    def from_stripe(body: bytes, headers: dict[str, str]) -> None:
        stripe.WebhookSignature.verify_header(
            body.decode(), headers["stripe-signature"], SECRET, 300
        )

    return {
        "velora": (verifier.verify, {"x-velora-signature": signature}),
        "stdlib": (from_seed, {"x-velora-signature": signature}),
        "stripe": (from_stripe, {"stripe-signature": f"t={now},v1={stripe_mac.hexdigest()}"}),
        "standardwebhooks": (standard.verify, standard_headers),
        "svix": (svix_hook.verify, svix_headers),
    }


def check_is_real(name: str, check: Check, body: bytes, headers: dict[str, str]) -> None:
    """It takes what is genuine, and nothing else."""
    check(body, headers)
    try:
        check(body.replace(b"phi.read", b"phi.reaD"), headers)
    except Exception:
        return
    raise SystemExit(f"{name} accepts a forgery")


def timer(
    check: Check, body: bytes, headers: dict[str, str], calls: int
) -> Callable[[], float]:
    names = {"check": check, "body": body, "headers": headers}
    timed = timeit.Timer("check(body, headers)", globals=names)
    return lambda: timed.timeit(calls) / calls * 1e9


def main() -> None:
    print("verify, ns (medians of interleaved rounds; the header from a dict of 12)\n")
    for size in SIZES:
        body = body_of(size)
        timers = {}
        for name, (check, own) in contenders(body).items():
            headers = {**dict(list(OTHERS.items())[: 12 - len(own)]), **own}
            check_is_real(name, check, body, headers)
            timers[name] = timer(check, body, headers, max(5, 400_000 // size))
        times = interleave(timers, 51 if size < 100_000 else 21)
        row = "  ".join(f"{name} {time:,.0f}" for name, time in times.items())
        print(f"{size:>9} B  {row}")
        of_stdlib = times["velora"] / times["stdlib"]
        print(f"{'':>11}  of stdlib {verdict(of_stdlib, TARGETS.get(size, 1.0))}")
        if size == SIZES[0]:
            of_stripe = times["velora"] / times["stripe"]
            print(f"{'':>11}  of stripe {verdict(of_stripe, STRIPE_TARGET)}")


main()
