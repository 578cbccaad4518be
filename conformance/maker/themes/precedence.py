"""Several faults at once: the first check of the order gives the code."""

from maker.case import BODY, OTHER_SECRET, T, delivery, event_delivery

LARGE = 8193
SIGNATURES = f"v1={'ab' * 32}" + ",v1=x" * 16


def cases():
    health, tv = delivery("health"), delivery("tv")
    signature, stamp = "X-Velora-Signature", "X-Velora-Timestamp"
    yield (
        "missing-signature-before-duplicate-timestamp",
        "all that is missing comes before all that is repeated",
        tv.without(signature).add(stamp, str(T)),
        "missing_header",
    )
    yield (
        "missing-timestamp-before-duplicate-signature",
        "all that is missing comes before all that is repeated",
        tv.without(stamp).add(signature, tv.sent),
        "missing_header",
    )
    yield (
        "missing-timestamp-before-malformed-signature",
        "a header that is absent comes before the form of the other",
        tv.without(stamp).signed_as("x"),
        "missing_header",
    )
    yield (
        "missing-before-mismatch",
        "nothing is hashed without headers",
        tv.without(stamp).but(body=b"other"),
        "missing_header",
    )
    yield (
        "duplicate-signature-before-17-signatures",
        "all that is repeated comes before sizes",
        health.signed_as(f"t={T},{SIGNATURES}").add(signature, "x"),
        "duplicate_header",
    )
    yield (
        "duplicate-before-malformed",
        "what is repeated is not parsed",
        health.signed_as("x").add(signature, "y"),
        "duplicate_header",
    )
    yield (
        "duplicate-timestamp-before-malformed-signature",
        "both headers are counted before either is parsed",
        tv.signed_as("x").add(stamp, str(T)),
        "duplicate_header",
    )
    yield (
        "large-timestamp-before-malformed-signature",
        "the timestamp header has the same bound, and both are measured before either is parsed",
        tv.signed_as("x").stamped("1" * LARGE),
        "header_too_large",
    )
    for name, value in (
        ("two-t", f"t={T},t={T},{SIGNATURES}"),
        ("no-t", SIGNATURES),
        ("no-valid-v1", f"t={T}" + ",v1=x" * 17),
    ):
        yield (
            f"17-signatures-before-{name}",
            "too many signatures come before the form",
            health.signed_as(value),
            "header_too_large",
        )
    yield (
        "malformed-header-before-malformed-timestamp",
        "the signature header comes before the timestamp",
        tv.signed_as("x").stamped("x"),
        "malformed_header",
    )
    yield (
        "malformed-header-before-old-timestamp",
        "the form comes before the age",
        tv.signed_as(tv.hex).but(now=T + 9999),
        "malformed_header",
    )
    for name, value in (
        ("two-malformed-t", f"t=x,t=y,v1={health.hex}"),
        ("malformed-t-without-v1", "t=x"),
        ("old-t-without-v1", "t=1,v0=x"),
        ("empty-t-with-malformed-v1", "t=,v1=x"),
    ):
        yield (
            f"malformed-header-{name}",
            "the form of the whole list comes before the timestamp in it",
            health.signed_as(value),
            "malformed_header",
        )
    for scheme in ("health", "billing", "tv-body-only"):
        yield (
            f"malformed-timestamp-before-mismatch-{scheme}",
            "the timestamp comes before the MAC",
            delivery(scheme, stamp="x").but(body=b"other"),
            "malformed_timestamp",
        )
    for scheme in ("health", "billing", "tv-body-only"):
        forged = delivery(scheme, secrets=(OTHER_SECRET,)).but(secrets=health.secrets)
        yield (
            f"old-before-mismatch-{scheme}",
            "the age comes before the MAC: nothing stale is hashed",
            forged.but(now=T + 301),
            "timestamp_too_old",
        )
        yield (
            f"future-before-mismatch-{scheme}",
            "the age comes before the MAC: nothing stale is hashed",
            forged.but(now=T - 301),
            "timestamp_in_future",
        )
    for scheme in ("curae", "tv", "tv-body-only"):
        header = "CuraeAI-Event-Type" if scheme == "curae" else "X-Velora-Event"
        contradicting = event_delivery(scheme).header(header, "user.graduated")
        yield (
            f"mismatch-before-contradiction-{scheme}",
            "a body is not read before its MAC has held",
            contradicting.with_secrets(OTHER_SECRET),
            "signature_mismatch",
        )
        yield (
            f"old-before-contradiction-{scheme}",
            "a body is not read before its MAC has held",
            contradicting.but(now=T + 301),
            "timestamp_too_old",
        )
    yield (
        "all-at-once",
        "a bad secret is found before any request",
        health.signed_as("x").but(secrets=("",), body=BODY + b"x", now=0),
        "empty_secret",
    )
