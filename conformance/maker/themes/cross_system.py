"""A delivery of one system held against the scheme of another, under one secret."""

from maker.case import BODY, OK, SCHEMES, T, delivery
from maker.rules import SCHEMES as RULES

MALFORMED = "malformed_header"
MISMATCH = "signature_mismatch"

# Where only the names of the headers stand between the two: (from, to) → code.
TRANSPLANTED = {
    ("health", "curae"): MISMATCH,
    ("curae", "health"): MISMATCH,
    ("billing", "tv"): MISMATCH,
    ("tv", "billing"): MISMATCH,
}


def cases():
    for sender in SCHEMES:
        for receiver in SCHEMES:
            if sender != receiver:
                yield from pair(sender, receiver)

    for (sender, receiver), code in TRANSPLANTED.items():
        rules = RULES[receiver]
        case = delivery(sender).but(scheme=receiver)
        case = case.renamed(RULES[sender].signature_header, rules.signature_header)
        if rules.timestamp_header:
            case = case.renamed(RULES[sender].timestamp_header, rules.timestamp_header)
        yield (
            f"{sender}-transplanted-to-{receiver}",
            "the form is the same, what is under the MAC is not",
            case,
            code,
        )

    curae, tv = delivery("curae"), delivery("tv")
    yield (
        "curae-mac-in-tv-form",
        "both sign the same bytes: only secrets of their own keep the two systems apart",
        tv.signed_as(f"sha256={curae.hex}"),
        OK,
    )
    yield (
        "billing-mac-in-tv-body-only-form",
        "both sign the body alone: only secrets of their own keep the two systems apart",
        delivery("tv-body-only").signed_as(delivery("billing").hex),
        OK,
    )
    yield (
        "tv-payload-as-billing-body",
        "another system's signed payload is a body to a scheme that signs bodies alone",
        delivery("billing")
        .but(body=f"{T}.".encode() + BODY)
        .signed_as(f"sha256={tv.hex}"),
        OK,
    )
    yield (
        "tv-body-only-under-tv-name",
        "the two forms of TV are two schemes; never both on one delivery",
        delivery("tv-body-only").but(scheme="tv").stamped(str(T)),
        MALFORMED,
    )
    yield (
        "tv-body-only-mac-in-tv-form",
        "a signature over the body alone is not accepted where the timestamp is signed",
        tv.signed_as(f"sha256={delivery('tv-body-only').hex}"),
        MISMATCH,
    )


def pair(sender, receiver):
    """A delivery as it came, under the wrong scheme."""
    sent = {name for name, _ in delivery(sender).headers}
    rules = RULES[receiver]
    wanted = {name for name in (rules.signature_header, rules.timestamp_header) if name}
    # Of the same names the forms differ: no scheme reads the header of another.
    yield (
        f"{sender}-delivery-as-{receiver}",
        "the scheme is named by the receiver, and no other is tried",
        delivery(sender).but(scheme=receiver),
        MALFORMED if wanted <= sent else "missing_header",
    )
