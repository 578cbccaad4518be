"""The form of the signature header."""

from maker.case import OK, SCHEMES, T, delivery
from maker.rules import SCHEMES as RULES

MALFORMED = "malformed_header"
MISMATCH = "signature_mismatch"
LISTS = [scheme for scheme in SCHEMES if RULES[scheme].prefix is None]
PREFIXED = [scheme for scheme in SCHEMES if RULES[scheme].prefix is not None]


def cases():
    for scheme in SCHEMES:
        yield from digits(scheme)
    for scheme in LISTS:
        yield from lists(scheme)
    for scheme in PREFIXED:
        yield from prefixed(scheme)


def digits(scheme):
    case = delivery(scheme)
    hex_ = case.hex
    variants = (
        ("upper-case", hex_.upper()),
        ("one-upper-case", hex_[:-1] + "F"),
        ("63-digits", hex_[:-1]),
        ("65-digits", hex_ + "0"),
        ("no-digits", ""),
        ("no-hex", "g" + hex_[1:]),
        ("colon", ":" + hex_[1:]),
        ("blank-inside", hex_[:32] + " " + hex_[33:]),
        ("blank-between", hex_[:32] + " " + hex_[32:]),
        ("quoted", f'"{hex_}"'),
        ("doubled", hex_ + hex_),
        ("fullwidth-digit", hex_[:-1] + "０"),
        ("half-a-digit-of-two-bytes", hex_[:-2] + "é"),
        ("base64", "7uW1+Ndvl7Ejz+hHSSJdSODbhfcwZGGJrzTNvi+QT0Y="),
    )
    # All of them for one scheme of each form; the others share the rule.
    for name, text in variants if scheme in ("health", "tv") else variants[:4]:
        yield (
            f"{scheme}-{name}",
            "64 lower-case hex digits and nothing else",
            case.signed_as(case.sent.replace(hex_, text)),
            MALFORMED,
        )
    yield f"{scheme}-empty", "an empty header is there, but has no form", case.signed_as(""), MALFORMED
    yield f"{scheme}-blanks-alone", "blanks are cut off, nothing is left", case.signed_as(" \t "), MALFORMED
    yield f"{scheme}-prose", "not a signature at all", case.signed_as("signature"), MALFORMED


def lists(scheme):
    case = delivery(scheme)
    t, v1 = f"t={T}", f"v1={case.hex}"
    allowed = {
        "order": f"{v1},{t}",
        "blank-after-comma": f"{t}, {v1}",
        "blanks-everywhere": f" {t} ,\t {v1} \t",
        "blanks-around-all": f"   {t},{v1}   ",
        "empty-segments": f",{t},,{v1},",
        "unknown-segment": f"{t},foo=bar,{v1}",
        "segment-without-equals": f"{t},foo,{v1}",
        "segment-of-equals": f"{t},=,{v1},==",
        "unknown-like-t": f"{t},ts=1,T=2,tt=3,{v1}",
        "non-ascii-segment": f"{t},é=ü,{v1}",
        "v1-without-equals": f"{t},v1,{v1}",
        "t-without-equals": f"t,{t},{v1}",
    }
    few = None if scheme == "health" else 3
    for name, value in list(allowed.items())[:few]:
        yield (
            f"{scheme}-allowed-{name}",
            "segments in any order, blanks around them, unknown ones skipped",
            case.signed_as(value),
            OK,
        )
    refused = {
        "two-t": f"{t},{t},{v1}",
        "two-t-different": f"{t},t={T + 1},{v1}",
        "two-t-last": f"{t},{v1},{t}",
        "two-t-one-empty": f"t=,{t},{v1}",
        "no-t": v1,
        "no-v1": t,
        "t-and-comma": f"{t},",
        "upper-case-t": f"T={T},{v1}",
        "upper-case-v1": f"{t},V1={case.hex}",
        "blank-before-equals-of-t": f"t ={T},{v1}",
        "blank-before-equals-of-v1": f"{t},v1 ={case.hex}",
        "blank-after-equals-of-v1": f"{t},v1= {case.hex}",
        "semicolon": f"{t};{v1}",
        "blank-for-comma": f"{t} {v1}",
        "no-break-space-around": f"{t},\xa0{v1}",
        "bare": case.hex,
        "prefixed": f"sha256={case.hex}",
        "joined-by-a-proxy": f"{t},{v1}, {t},{v1}",
        "fullwidth-comma": f"{t}，{v1}",
        "bom": f"\ufeff{t},{v1}",
    }
    for name, value in list(refused.items())[:few]:
        yield f"{scheme}-refused-{name}", "one `t`, and a v1", case.signed_as(value), MALFORMED
    yield (
        f"{scheme}-timestamp-before-equals",
        "only the first `=` divides a segment",
        case.signed_as(f"t=={T},{v1}"),
        "malformed_timestamp",
    )


def prefixed(scheme):
    case = delivery(scheme)
    prefix, hex_ = RULES[scheme].prefix, case.hex
    yield f"{scheme}-allowed-blanks-around", "blanks around the value", case.signed_as(
        f" \t{prefix}{hex_} \t"
    ), OK
    refused = {
        # Each scheme has the other's form, or its own prefix alone.
        "other-form": hex_ if prefix else f"sha256={hex_}",
        "blank-after-prefix": f"sha256= {hex_}",
        "upper-case-prefix": f"SHA256={hex_}",
        "other-prefix": f"sha512={hex_}",
        "sha1": f"sha1={hex_[:40]}",
        "double-prefix": f"sha256=sha256={hex_}",
        "colon-prefix": f"sha256:{hex_}",
        "v1-prefix": f"v1={hex_}",
        "list": f"t={T},v1={hex_}",
        "joined-by-a-proxy": f"{prefix}{hex_}, {prefix}{hex_}",
        "trailing-comma": f"{prefix}{hex_},",
        "non-ascii-before": f"é{prefix}{hex_}",
        "no-break-space-around": f"{prefix}{hex_}\xa0",
    }
    few = None if scheme == "tv" else 3
    for name, value in list(refused.items())[:few]:
        yield f"{scheme}-refused-{name}", "the scheme's prefix and 64 digits", case.signed_as(
            value
        ), MALFORMED
    yield f"{scheme}-well-formed-zeros", "well-formed, and wrong", case.signed_as(
        prefix + "0" * 64
    ), MISMATCH
