"""The themes: one file of vectors each.

A theme yields (id, comment, case, expected): the code, or OK; for an event the
code, or its type, its key and perhaps its extra members; for a key the code, or
the key in a tuple of its own.
"""

from maker.themes import (
    bodies,
    bound_headers,
    construction,
    cross_system,
    event_extra,
    event_keys,
    event_members,
    headers,
    key_alone,
    precedence,
    published,
    rotation,
    secrets,
    signature_header,
    tampered,
    timestamps,
    valid,
)

VERIFY = {
    "valid": valid.cases,
    "published": published.cases,
    "tampered": tampered.cases,
    "rotation": rotation.cases,
    "secrets": secrets.cases,
    "construction": construction.cases,
    "timestamps": timestamps.cases,
    "signature_header": signature_header.cases,
    "headers": headers.cases,
    "precedence": precedence.cases,
    "bodies": bodies.cases,
    "bound_headers": bound_headers.cases,
    "cross_system": cross_system.cases,
}

EVENTS = {
    "members": event_members.cases,
    "keys": event_keys.cases,
    "extra": event_extra.cases,
}

KEYS = {
    "alone": key_alone.cases,
}
