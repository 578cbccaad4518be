"""What was signed is not what was received."""

from maker.case import BODY, OK, OTHER_SECRET, SCHEMES, SECRET, T, delivery
from maker.rules import mac

MISMATCH = "signature_mismatch"


def cases():
    for scheme in SCHEMES:
        case = delivery(scheme)
        digits = case.hex
        yield (
            f"{scheme}-body-bit",
            "one bit of the body is another",
            case.but(body=BODY.replace(b"evt_1", b"evt_3")),
            MISMATCH,
        )
        yield f"{scheme}-body-appended", "a line end was added", case.but(body=BODY + b"\n"), MISMATCH
        yield f"{scheme}-body-cut", "the last byte is missing", case.but(body=BODY[:-1]), MISMATCH
        yield f"{scheme}-body-emptied", "no body came", case.but(body=b""), MISMATCH
        yield (
            f"{scheme}-body-reserialised",
            "the same JSON value in other bytes",
            case.but(body=b'{"id": "evt_1", "n": 1}'),
            MISMATCH,
        )
        first = "0" if digits[0] != "0" else "1"
        last = "0" if digits[-1] != "0" else "1"
        for name, forged in (
            ("first-digit", first + digits[1:]),
            ("last-digit", digits[:-1] + last),
            ("zeros", "0" * 64),
        ):
            yield (
                f"{scheme}-signature-{name}",
                "every digit of the signature is compared",
                case.signed_as(case.sent.replace(digits, forged)),
                MISMATCH,
            )
        yield (
            f"{scheme}-wrong-secret",
            "signed by someone who does not know the secret",
            delivery(scheme, secrets=(OTHER_SECRET,)).with_secrets(SECRET),
            MISMATCH,
        )
        later = str((T + 1) * 1000 if scheme == "tv-body-only" else T + 1)
        signed = SCHEMES[scheme].before is not None
        yield (
            f"{scheme}-timestamp-rewritten",
            "the timestamp is under the MAC"
            if signed
            else "the timestamp is outside the MAC: the scheme cannot see that it was rewritten",
            case.stamped(later),
            MISMATCH if signed else OK,
        )

    for scheme in ("health", "curae", "tv"):
        old = delivery(scheme, stamp=T - 86400)
        yield (
            f"{scheme}-replay-with-fresh-timestamp",
            "a captured delivery does not become young by its header",
            old.stamped(str(T)),
            MISMATCH,
        )
    for scheme in ("billing", "tv-body-only"):
        old = delivery(scheme, stamp=T - 86400)
        fresh = str(T * 1000 if scheme == "tv-body-only" else T)
        yield (
            f"{scheme}-replay-with-fresh-timestamp",
            "the limit of this scheme: only deduplication on the body stops this replay",
            old.stamped(fresh),
            OK,
        )

    forms = {
        "health": {"no-t": f"{T}.", "no-dot": f"t={T}", "body-alone": "", "comma": f"t={T},"},
        "curae": {"with-t": f"t={T}.", "no-dot": f"{T}", "body-alone": ""},
        "tv": {"with-t": f"t={T}.", "colon": f"{T}:", "body-alone": ""},
        "billing": {"timestamped": f"{T}."},
        "tv-body-only": {"timestamped": f"{T}000.", "seconds": f"{T}."},
    }
    for scheme, heads in forms.items():
        case = delivery(scheme)
        for name, head in heads.items():
            forged = mac(SECRET, head.encode() + BODY)
            yield (
                f"{scheme}-payload-{name}",
                "signed over another payload than the scheme's",
                case.signed_as(case.sent.replace(case.hex, forged)),
                MISMATCH,
            )
    yield (
        "tv-digit-moved-into-the-body",
        "the dot between timestamp and body cannot be moved",
        delivery("tv", b"0." + BODY).stamped(f"{T}0").but(now=T * 10, body=BODY),
        MISMATCH,
    )
    yield (
        "curae-mac-of-timestamp-alone",
        "a signature over everything but the body",
        delivery("curae", b"").but(body=BODY),
        MISMATCH,
    )
    yield (
        "tv-key-and-message-swapped",
        "the secret is the key, not the message",
        delivery("tv").signed_as("sha256=" + mac(BODY, SECRET.encode())),
        MISMATCH,
    )
