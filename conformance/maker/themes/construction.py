"""What cannot be a verifier is refused before any header is looked at."""

from maker.case import OK, SCHEMES, SECRET, T, delivery


def cases():
    case = delivery("health")
    for name, scheme in (
        ("capital", "Health"),
        ("upper-case", "HEALTH"),
        ("empty", ""),
        ("blank-after", "health "),
        ("underscores", "tv_body_only"),
        ("vendor", "velora"),
        ("header-prefix", "curaeai"),
        ("stranger", "stripe"),
    ):
        yield (
            f"scheme-{name}",
            "the scheme is one of five names, and never guessed",
            case.but(scheme=scheme),
            "unknown_scheme",
        )
    for scheme in SCHEMES:
        yield (
            f"{scheme}-tolerance-negative",
            "a tolerance is zero or more",
            delivery(scheme).but(tolerance=-1),
            "invalid_tolerance",
        )
    for name, tolerance in (
        ("just-below-zero", -0.001),
        ("very-negative", -1e300),
        ("nan", "NaN"),
        ("infinite", "Infinity"),
        ("minus-infinite", "-Infinity"),
    ):
        yield (
            f"tolerance-{name}",
            "neither negative nor NaN nor infinite; JSON has no sign for the last two, so a text",
            case.but(tolerance=tolerance),
            "invalid_tolerance",
        )
    for name, tolerance in (("minus-zero", -0.0), ("huge", 1e300), ("integer", 10**12)):
        yield f"tolerance-{name}", "odd, but a tolerance", case.but(tolerance=tolerance), OK

    yield (
        "scheme-before-secrets",
        "the scheme is the first to be checked",
        case.but(scheme="nope", secrets=(), tolerance=-1),
        "unknown_scheme",
    )
    yield (
        "empty-secret-before-tolerance",
        "secrets come before the tolerance",
        case.but(secrets=("",), tolerance=-1),
        "empty_secret",
    )
    yield (
        "whitespace-before-tolerance",
        "secrets come before the tolerance",
        case.but(secrets=(" x",), tolerance=-1),
        "secret_has_whitespace",
    )
    yield (
        "no-secret-before-tolerance",
        "secrets come before the tolerance",
        case.but(secrets=(), tolerance=-1),
        "no_secret",
    )
    yield (
        "first-bad-secret-decides",
        "of several bad secrets the first one gives the code",
        case.but(secrets=(SECRET, "x ", "")),
        "secret_has_whitespace",
    )
    yield (
        "secret-before-headers",
        "a missing header does not hide a bad secret",
        case.but(secrets=("",), headers=()),
        "empty_secret",
    )
    yield (
        "tolerance-before-headers",
        "a missing header does not hide a bad tolerance",
        case.but(tolerance=-5, headers=()),
        "invalid_tolerance",
    )
    yield (
        "tolerance-before-age",
        "a bad tolerance is no window at all",
        case.but(tolerance=-5, now=T + 86400),
        "invalid_tolerance",
    )
