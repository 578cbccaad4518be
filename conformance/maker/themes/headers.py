"""Which headers are there, how often, and how large."""

from maker.case import OK, SCHEMES, T, delivery
from maker.rules import MAX_HEADER_BYTES
from maker.rules import SCHEMES as RULES

MISSING = "missing_header"
DUPLICATE = "duplicate_header"
TOO_LARGE = "header_too_large"


def cases():
    for scheme in SCHEMES:
        for header in names(scheme):
            yield from of_header(scheme, header)
        yield f"{scheme}-none", "no headers at all", delivery(scheme).but(headers=()), MISSING
    yield from sizes()
    yield (
        "billing-x-velora-names",
        "the headers of another system are not this system's",
        delivery("billing")
        .renamed("X-Webhook-Signature", "X-Velora-Signature")
        .renamed("X-Webhook-Timestamp", "X-Velora-Timestamp"),
        MISSING,
    )
    yield (
        "curae-timestamp-header-is-no-substitute",
        "CuraeAI-Timestamp stands outside the MAC and is not read",
        delivery("curae")
        .add("CuraeAI-Timestamp", str(T))
        .signed_as(f"v1={delivery('curae').hex}"),
        "malformed_header",
    )
    yield (
        "curae-timestamp-header-disagrees",
        "CuraeAI-Timestamp stands outside the MAC and is not read",
        delivery("curae").add("CuraeAI-Timestamp", "1"),
        OK,
    )
    yield (
        "health-timestamp-header-is-not-read",
        "health has its timestamp in the signature header alone",
        delivery("health").add("X-Velora-Timestamp", "1").add("X-Velora-Timestamp", "x"),
        OK,
    )
    yield (
        "billing-other-headers-twice",
        "headers outside the MAC may stand as often as they like",
        delivery("billing").add("X-Webhook-Delivery", "a").add("X-Webhook-Delivery", "b"),
        OK,
    )


def names(scheme):
    rules = RULES[scheme]
    return [name for name in (rules.signature_header, rules.timestamp_header) if name]


def of_header(scheme, header):
    case = delivery(scheme)
    value = dict(case.headers)[header]
    kind = "timestamp" if "Timestamp" in header else "signature"
    yield f"{scheme}-{kind}-missing", f"no {header}", case.without(header), MISSING
    for name, spelling in (
        ("lower", header.lower()),
        ("upper", header.upper()),
    ):
        yield (
            f"{scheme}-{kind}-{name}-case",
            "names of headers are compared without regard to case",
            case.renamed(header, spelling),
            OK,
        )
    yield (
        f"{scheme}-{kind}-twice",
        "which of two would count depends on the reader; refused even where they agree",
        case.add(header, value),
        DUPLICATE,
    )
    yield (
        f"{scheme}-{kind}-twice-other-case",
        "twice is twice in any spelling",
        case.add(header.lower(), value),
        DUPLICATE,
    )
    yield (
        f"{scheme}-{kind}-twice-one-empty",
        "an empty value is a value",
        case.add(header, ""),
        DUPLICATE,
    )
    if kind == "timestamp" or scheme not in ("billing", "tv"):
        return
    for name, spelling in (
        ("underscores", header.replace("-", "_")),
        ("blank", header + " "),
        ("longer", header + "s"),
        ("shorter", header[:-1]),
        # U+017F and U+212A become `s` and `k` where Unicode is folded.
        ("long-s", header.replace("S", "\u017f")),
        ("kelvin-sign", header.replace("k", "\u212a")),
    ):
        if spelling != header:
            yield (
                f"{scheme}-{kind}-name-{name}",
                "a name that is merely alike is another header",
                case.renamed(header, spelling),
                MISSING,
            )


def sizes():
    def padded(case, length):
        return case.signed_as(case.sent.ljust(length))

    yield (
        "health-8192-bytes",
        "8 KiB exactly is not over 8 KiB",
        padded(delivery("health"), MAX_HEADER_BYTES),
        OK,
    )
    yield (
        "tv-8193-bytes",
        "one byte over 8 KiB, though blanks only",
        padded(delivery("tv"), MAX_HEADER_BYTES + 1),
        TOO_LARGE,
    )
    curae = delivery("curae")
    yield (
        "curae-8187-characters-of-8193-bytes",
        "bytes are counted, not characters",
        curae.signed_as(curae.sent + "," + "x" * 8100 + "éééééé"),
        TOO_LARGE,
    )
