"""The form of the timestamp, and how far it may lie from now."""

from maker.case import BODY, OK, SCHEMES, T, delivery

OLD = "timestamp_too_old"
FUTURE = "timestamp_in_future"
MALFORMED = "malformed_timestamp"


def cases():
    yield from ages()
    yield from tolerances()
    yield from fractions_of_a_second()
    yield from milliseconds()
    yield from extremes()
    yield from forms()


def ages():
    for scheme in SCHEMES:
        for age, code in ((300, OK), (301, OLD)):
            yield f"{scheme}-age-{age}", f"signed {age} s ago", delivery(scheme).but(now=T + age), code
            yield (
                f"{scheme}-ahead-{age}",
                f"signed {age} s in the future",
                delivery(scheme).but(now=T - age),
                code and FUTURE,
            )


def tolerances():
    for scheme in ("health", "billing"):
        windows = (
            (0, 0, OK),
            (0, 1, OLD),
            (0, -1, FUTURE),
            (1, 1, OK),
            (1, 2, OLD),
            (0.5, 0, OK),
            (0.5, 1, OLD),
            (0.5, -1, FUTURE),
            (1.5, 1, OK),
            (1.5, 2, OLD),
            (300.9, 301, OLD),
            (600, 601, OLD),
            (86400, 86400, OK),
        )
        for tolerance, age, code in windows if scheme == "health" else windows[:3]:
            yield (
                f"{scheme}-tolerance-{tolerance}-{apart(age)}",
                "zero means this very second, never off"
                if tolerance == 0
                else "exactly the tolerance passes",
                delivery(scheme).but(now=T + age, tolerance=tolerance),
                code,
            )


def fractions_of_a_second():
    for now, code, comment in (
        (T + 300.875, OK, "the sender has cut its fraction off, so ours is cut off too"),
        (T + 301.0, OLD, "a float without a fraction is an integer"),
        (T - 299.5, OK, "cut off is rounded down, before the timestamp as well"),
        (T - 300.5, FUTURE, "rounded down this is 301 s before the timestamp"),
    ):
        yield f"health-now-fraction-{apart(now - T)}", comment, delivery("health").but(now=now), code


def apart(age):
    """Like `age-301` and `ahead-301`."""
    return f"age-{age:.12g}" if age >= 0 else f"ahead-{-age:.12g}"


def milliseconds():
    def at(age):
        return delivery("tv-body-only", stamp=str(T * 1000 - age))

    for age, code in (
        (1, OK),
        (299_999, OK),
        (300_000, OK),
        (300_001, OLD),
        (-300_000, OK),
        (-300_001, FUTURE),
    ):
        yield f"tv-body-only-{apart(age)}-ms", "milliseconds are compared as such", at(age), code
    for tolerance, age, code in (
        (0, 0, OK),
        (0, 1, OLD),
        (0, -1, FUTURE),
        (0.5, 500, OK),
        (0.5, 501, OLD),
        (0.25, -250, OK),
        (0.25, -251, FUTURE),
        (1.001, 1001, OK),
        (1.001, 1002, OLD),
    ):
        yield (
            f"tv-body-only-tolerance-{tolerance}-{apart(age)}-ms",
            "a fractional tolerance counts to the millisecond",
            at(age).but(tolerance=tolerance),
            code,
        )
    yield (
        "tv-body-only-now-with-fraction",
        "half a second of now counts where the timestamp has milliseconds",
        at(300_000).but(now=T + 0.5),
        OLD,
    )
    yield (
        "tv-body-only-now-with-fraction-inside",
        "half a second of now counts where the timestamp has milliseconds",
        at(299_500).but(now=T + 0.5),
        OK,
    )
    yield (
        "tv-body-only-seconds",
        "seconds where milliseconds are due are a time in January 1970",
        delivery("tv-body-only", stamp=str(T)),
        OLD,
    )


def extremes():
    for scheme in SCHEMES:
        yield (
            f"{scheme}-zero",
            "`0` is a plain number: the epoch itself",
            delivery(scheme, stamp="0", now=0),
            OK,
        )
    yield "tv-a-day-old", "a day is out of every default", delivery("tv").but(now=T + 86400), OLD
    yield "tv-zero-now", "and far in the past", delivery("tv", stamp="0"), OLD
    yield "health-before-1970", "now may lie before the epoch", delivery(
        "health", stamp="0", now=-300
    ), OK
    yield "health-long-before-1970", "now may lie before the epoch", delivery(
        "health", stamp="0", now=-301
    ), FUTURE
    for scheme in ("health", "curae", "tv", "billing"):
        yield (
            f"{scheme}-12-digits",
            "twelve digits of seconds are the most",
            delivery(scheme, stamp="999999999999", now=999999999999),
            OK,
        )
        yield (
            f"{scheme}-13-digits",
            "thirteen digits are milliseconds by mistake; the MAC is right, the form is not",
            delivery(scheme, stamp=f"{T}000"),
            MALFORMED,
        )
    yield "health-12-digits-now", "far in the future", delivery("health", stamp="999999999999"), FUTURE
    for digits in (13, 14, 15):
        stamp = "9" * digits
        yield (
            f"tv-body-only-{digits}-digits",
            "milliseconds have three digits more than seconds: up to fifteen",
            delivery("tv-body-only", stamp=stamp, now=int(stamp) // 1000),
            OK,
        )
    yield (
        "tv-body-only-16-digits",
        "microseconds are not milliseconds",
        delivery("tv-body-only", stamp=f"{T}000000"),
        MALFORMED,
    )
    for digits in (14, 20, 100):
        yield (
            f"tv-{digits}-digits",
            "no number of digits overflows anything",
            delivery("tv", stamp="1" * digits),
            MALFORMED,
        )
    for name, now, code in (
        ("far-future", 2**53 - 1, OLD),
        ("far-past", -(2**53) + 1, FUTURE),
    ):
        for scheme in ("health", "tv-body-only"):
            yield (
                f"{scheme}-now-in-the-{name}",
                "no difference overflows anything",
                delivery(scheme).but(now=now),
                code,
            )


# Each is signed as it stands, so that the form alone is at fault.
FORMS = {
    "empty": "",
    "plus": f"+{T}",
    "minus": f"-{T}",
    "minus-zero": "-0",
    "leading-zero": f"0{T}",
    "double-zero": "00",
    "blank-inside": "1717 423320",
    "tab-inside": "1717\t423320",
    "fraction": f"{T}.0",
    "exponent": "1717423e3",
    "hex": "0x665dd4d8",
    "underscore": "1_717_423_320",
    "letters": "now",
    "trailing-letter": f"{T}s",
    "not-a-number": "NaN",
    "iso-8601": "2024-06-03T14:02:00Z",
    "arabic-indic-digits": "١٧١٧٤٢٣٣٢٠",
    "fullwidth-digits": "１７１７４２３３２０",
    "one-arabic-digit": "171742332٠",
    "superscript": "171742332²",
    "minus-sign": "−1717423320",
    "no-break-space": f"{T}\xa0",
}


def forms():
    for scheme in ("health", "curae", "tv", "billing", "tv-body-only"):
        # All of them for one scheme; the others share the rule.
        names = FORMS if scheme == "tv" else list(FORMS)[:3]
        for name in names:
            yield (
                f"{scheme}-form-{name}",
                "`0`, or digits without a leading zero, and nothing else",
                delivery(scheme, stamp=FORMS[name]),
                MALFORMED,
            )
    for scheme in ("tv", "billing", "tv-body-only"):
        good = str(T * 1000 if scheme == "tv-body-only" else T)
        for name, text in (("before", f" {good}"), ("after", f"{good} "), ("tab", f"{good}\t")):
            yield (
                f"{scheme}-blank-{name}",
                "a timestamp header is taken as it stands, blanks are not cut off",
                delivery(scheme, BODY, stamp=text),
                MALFORMED,
            )
    for scheme in ("health", "curae"):
        yield (
            f"{scheme}-blank-after-equals",
            "blanks may stand around a segment, not inside one",
            delivery(scheme, stamp=f" {T}"),
            MALFORMED,
        )
        case = delivery(scheme)
        yield (
            f"{scheme}-blank-after-timestamp",
            "around the segment it is not part of the timestamp, nor of what is signed",
            case.signed_as(case.sent.replace(",", " ,")),
            OK,
        )
    yield "tv-joined", "two values that a proxy has joined", delivery(
        "tv", stamp=f"{T}, {T}"
    ), MALFORMED
