"""Several secrets, several signatures, signatures of other versions."""

from maker.case import BODY, OK, OTHER_SECRET, SCHEMES, SECRET, T, delivery
from maker.rules import SCHEMES as RULES
from maker.rules import signature

THIRD_SECRET = "a third secret, of the rotation before"
LISTS = [scheme for scheme in SCHEMES if RULES[scheme].prefix is None]
WRONG = "ab" * 32


def cases():
    for scheme in SCHEMES:
        case = delivery(scheme)
        yield (
            f"{scheme}-new-secret-first",
            "during a rotation either secret may match",
            case.with_secrets(SECRET, OTHER_SECRET),
            OK,
        )
        yield (
            f"{scheme}-old-secret-last",
            "the order of the secrets does not matter",
            case.with_secrets(OTHER_SECRET, THIRD_SECRET, SECRET),
            OK,
        )
        yield (
            f"{scheme}-none-matches",
            "several secrets, all of them wrong",
            case.with_secrets(OTHER_SECRET, THIRD_SECRET),
            "signature_mismatch",
        )
    yield "tv-same-secret-twice", "a repeated secret is harmless", delivery("tv").with_secrets(
        SECRET, SECRET
    ), OK
    yield "tv-secrets-not-joined", "secrets are keys of their own, not parts of one", delivery(
        "tv", secrets=(SECRET + OTHER_SECRET,)
    ).with_secrets(SECRET, OTHER_SECRET), "signature_mismatch"
    for scheme in LISTS:
        yield from of_list(scheme)


def of_list(scheme):
    case = delivery(scheme)
    good = signature(scheme, SECRET, str(T), BODY)

    def listed(*segments):
        return case.signed_as(",".join(segments))

    t = f"t={T}"
    v1 = f"v1={good}"
    yield (
        f"{scheme}-signed-with-both",
        "the sender signs with both secrets, the receiver knows the new one",
        delivery(scheme, secrets=(OTHER_SECRET, SECRET)).with_secrets(SECRET),
        OK,
    )
    yield (
        f"{scheme}-signed-with-both-first",
        "the sender signs with both secrets, the receiver knows the old one",
        delivery(scheme, secrets=(SECRET, OTHER_SECRET)).with_secrets(SECRET),
        OK,
    )
    yield (
        f"{scheme}-both-sides-rotate",
        "two secrets on each side, one of them in common",
        delivery(scheme, secrets=(THIRD_SECRET, SECRET)).with_secrets(OTHER_SECRET, SECRET),
        OK,
    )
    siblings = (
        ("short", "v1=abcdef"),
        ("empty", "v1="),
        ("upper-case", f"v1={good.upper()}"),
        ("no-hex", "v1=" + "z" * 64),
        ("65-digits", f"v1={good}0"),
        ("wrong", f"v1={WRONG}"),
    )
    # All of them for one scheme; the other shares the rule.
    for name, sibling in siblings if scheme == "curae" else siblings[:2]:
        yield (
            f"{scheme}-sibling-{name}-before",
            "a sibling never hides a valid signature",
            listed(t, sibling, v1),
            OK,
        )
        if scheme == "curae":
            yield (
                f"{scheme}-sibling-{name}-after",
                "a sibling never hides a valid signature",
                listed(t, v1, sibling),
                OK,
            )
    yield (
        f"{scheme}-unknown-versions",
        "versions of the past and of the future are skipped",
        listed(t, f"v0={WRONG}", v1, "v2=whatever:it/is", "v1a=x", "v10=y"),
        OK,
    )
    for version in ("v0", "v2", "v11", "V1", "sha256"):
        yield (
            f"{scheme}-only-{version}",
            "a correct MAC under another version's name is no v1",
            listed(t, f"{version}={good}"),
            "malformed_header",
        )
    yield (
        f"{scheme}-unknown-version-does-not-count",
        "a v0 that matches does not make up for a v1 that does not",
        listed(t, f"v0={good}", f"v1={WRONG}"),
        "signature_mismatch",
    )
    fifteen = [f"v1={number:064x}" for number in range(15)]
    yield f"{scheme}-16-signatures", "sixteen v1 values are the most", listed(t, *fifteen, v1), OK
    yield (
        f"{scheme}-17-signatures",
        "seventeen are too many, whichever matches",
        listed(t, v1, *fifteen, f"v1={WRONG}"),
        "header_too_large",
    )
    yield (
        f"{scheme}-17-signatures-malformed",
        "malformed v1 values are counted too",
        listed(t, v1, *["v1="] * 16),
        "header_too_large",
    )
    yield (
        f"{scheme}-16-signatures-and-other-versions",
        "other versions are not counted",
        listed(t, *["v1="] * 15, v1, *["v0=x"] * 16),
        OK,
    )
    yield f"{scheme}-signature-repeated", "the same v1 twice is harmless", listed(t, v1, v1), OK
