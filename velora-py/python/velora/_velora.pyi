"""The extension module. Only the classes that ``velora`` exports are public."""

from asyncio import Future
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from os import PathLike
from types import GenericAlias, TracebackType
from typing import Any, ClassVar, Generic, Literal, final, overload

from typing_extensions import Buffer, Self, TypeVar

from . import billing, curae, events, health, receiving, tv
from .api import RateLimit
from .receiving import Headers

__all__ = [
    "CODES",
    "Answer",
    "AuditEvent",
    "Billing",
    "Call",
    "Claim",
    "Curae",
    "Delivery",
    "Health",
    "Listed",
    "Manifest",
    "Receiver",
    "Scheme",
    "SignedDelivery",
    "Signer",
    "SigningSecret",
    "Statements",
    "Store",
    "Stream",
    "Taker",
    "Tv",
    "Verifier",
    "Work",
    "__version__",
]

__version__: str
CODES: list[str]

_E_co = TypeVar("_E_co", covariant=True)
_S_co = TypeVar("_S_co", covariant=True, default=Any)
_T = TypeVar("_T")

@final
class SigningSecret:
    """The secret that a system signs its deliveries with. It is never shown.

    It is a ``str``, whose UTF-8 bytes are the key, or ``bytes``. It is never decoded, even if
    it looks like hex or base64. Raises ``empty_secret``; ``secret_has_whitespace`` if a ``str``
    starts or ends with white space, which usually comes from copy and paste;
    ``invalid_option`` if it is neither type.
    """

    def __new__(cls, secret: str | bytes | SigningSecret) -> SigningSecret: ...
    def expose_secret(self) -> bytes:
        """The bytes of the secret, for your secret storage. Keep them out of logs."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...

@final
class Scheme(Generic[_S_co]):
    """How one system signs its deliveries: a plain value.

    The MAC is always HMAC-SHA-256 in 64 lower-case hex digits.

    - ``name`` appears in keys and logs; it must not be that of a built-in system.
    - ``signature_header`` is a list (``t=<seconds>,v1=<hex>``), or, if you give a ``prefix``
      (which may be empty), the prefix followed by the hex digits.
    - ``timestamp_header`` holds the timestamp in ``timestamp_unit`` (seconds by default).
    - ``signed_payload`` is the text before and after the timestamp under the MAC. Without it,
      only the body is signed.
    - ``identity`` names the members of the body that identify an event. Without it, the body's
      digest does.
    - ``reject_status`` is the HTTP status for refused deliveries, 400 to 599, by default 401.
      For ``malformed_event`` it is always 500.
    - ``client_errors_are_final``: the sender does not send again after a 4xx, so a body over
      the limit is answered with 500 instead of 413.

    >>> slack = Scheme(
    ...     "slack", "X-Slack-Signature", prefix="v0=",
    ...     timestamp_header="X-Slack-Request-Timestamp", signed_payload=("v0:", ":"),
    ... )

    Its events are ``CustomEvent``: ``delivery.event``, and what a handler gets, has the body's
    ``members`` by the names that they have there, and ``raw``. A member that is repeated has
    its last value, and ``delivery.event_type`` is ``None``.

    >>> verifier = Verifier(slack, "secret")
    >>> signed = Signer(slack, "secret").sign(b'{"type":"url_verification"}')
    >>> verifier.verify(signed.body, signed.headers).event.members
    {'type': 'url_verification'}

    Any body can be verified, but a ``Receiver`` needs a JSON object: for any other body, such
    as a form, it is ``malformed_event``. The delivery of a ``Verifier`` has the bytes and the
    key.

    Raises ``invalid_option`` if ``timestamp_unit`` is given without ``timestamp_header``, or is
    not one of the two units. When a ``Verifier`` is made from it, ``invalid_scheme`` if it
    contradicts itself, or has the name of a built-in system.
    """

    def __new__(
        cls,
        name: str,
        signature_header: str,
        *,
        prefix: str | None = None,
        timestamp_header: str | None = None,
        timestamp_unit: Literal["seconds", "milliseconds"] | None = None,
        signed_payload: tuple[str, str] | None = None,
        identity: Sequence[str] | None = None,
        reject_status: int | None = None,
        client_errors_are_final: bool = False,
    ) -> Scheme[events.CustomEvent]: ...
    @staticmethod
    def named(name: str) -> Scheme[Any]:
        """The scheme of a system: ``health``, ``billing``, ``curae``, ``tv`` or
        ``tv-body-only``. Raises ``unknown_scheme``."""
    @property
    def name(self) -> str:
        """The scheme's name, such as ``health``."""
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

_Secrets = str | bytes | SigningSecret | Sequence[str | bytes | SigningSecret]

@final
class Verifier(Generic[_E_co]):
    """Verifies deliveries of one scheme under one or more secrets.

    Create it once and keep it, because creating it computes the keyed hash state. It can be
    shared between threads. You always name the scheme; it is never guessed from a header.
    During a rotation give both secrets; either may match, and ``Delivery.secret_index`` tells
    which one did. The secrets do not change: to rotate, make a new verifier, and a new
    ``Receiver`` with the same store.

    ``tolerance`` is how far a timestamp may be from now, in either direction, in seconds: 300
    by default, and exactly 300 passes. ``dangerous_no_tolerance``, instead of a ``tolerance``,
    switches the age check off: a captured delivery then passes for ever, and only a store that
    still remembers its key stops a replay.

    >>> verifier = Verifier("health", "0123456789abcdef" * 4)
    >>> delivery = verifier.verify(
    ...     b'{"id":"evt_1","n":1}',
    ...     {"X-Velora-Signature": "t=1717423320,v1="
    ...      "eee5b5f8d76f97b123cfe84749225d48e0db85f730646189af34cdbe2f904f46"},
    ...     now=1717423400,
    ... )
    >>> delivery.body
    b'{"id":"evt_1","n":1}'

    Raises ``unknown_scheme``, ``invalid_scheme``, ``no_secret``, ``empty_secret``,
    ``secret_has_whitespace``, ``invalid_tolerance``; ``invalid_option`` if both ``tolerance``
    and ``dangerous_no_tolerance`` are given, or the scheme or a secret has a wrong type.
    """

    @overload
    def __new__(
        cls,
        scheme: Literal["health"],
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[health.Event]: ...
    @overload
    def __new__(
        cls,
        scheme: Literal["billing"],
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[billing.Event]: ...
    @overload
    def __new__(
        cls,
        scheme: Literal["curae"],
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[curae.Event]: ...
    @overload
    def __new__(
        cls,
        scheme: Literal["tv"],
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[tv.Event]: ...
    @overload
    def __new__(
        cls,
        scheme: Literal["tv-body-only"],
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[tv.BodyOnlyEvent]: ...
    @overload
    def __new__(
        cls,
        scheme: Scheme[_E_co],
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[_E_co]: ...
    @overload
    def __new__(
        cls,
        scheme: str | Scheme,
        secrets: _Secrets,
        *,
        tolerance: float | None = None,
        dangerous_no_tolerance: bool = False,
    ) -> Verifier[Any]: ...
    def verify(
        self, body: Buffer, headers: Headers, now: float | datetime | None = None
    ) -> Delivery[_E_co]:
        """Verifies the raw body, exactly as received.

        ``body`` is anything that holds bytes: ``await request.body()`` in FastAPI and
        Starlette, ``request.get_data()`` in Flask, ``request.body`` in Django. ``headers`` is a
        dict (names are case-insensitive), a framework's header object, name-value pairs as in
        ASGI, or a WSGI environ. Prefer a form that shows a header that was sent twice. ``now``
        is the time to verify as of, by default the present: seconds since the epoch, or an
        aware ``datetime``.

        Raises a ``VerificationError``, the first that applies: ``missing_header``,
        ``duplicate_header``, ``header_too_large``, ``malformed_header``,
        ``malformed_timestamp``, ``timestamp_too_old``, ``timestamp_in_future``,
        ``signature_mismatch``; or, for misuse, a ``ConfigError``: ``body_already_parsed``,
        ``unreadable_headers``, ``invalid_option`` (``now``).
        """
    @property
    def scheme(self) -> str:
        """The name of the scheme that deliveries are verified against."""
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class Delivery(Generic[_E_co]):
    """A request that was proven to come from its system. Only a ``Verifier`` makes one."""

    @property
    def scheme(self) -> str:
        """The name of the scheme it was verified against."""
    @property
    def body(self) -> bytes:
        """The raw body: the very bytes that were under the MAC."""
    @property
    def signed_timestamp(self) -> datetime | None:
        """When it was signed; ``None`` if the scheme does not sign its timestamp. One at the
        end of the year 9999 or later, which only a huge tolerance lets through, is ``None``."""
    @property
    def secret_index(self) -> int:
        """Which of the verifier's secrets matched, counted from 0."""
    @property
    def key(self) -> str:
        """The identity to deduplicate on, from authenticated bytes only. Raises
        ``malformed_event``, ``header_body_mismatch``."""
    @property
    def event_type(self) -> str | None:
        """The event's type as the system writes it; ``None`` if nothing names it. Raises
        ``malformed_event``, ``header_body_mismatch``."""
    @property
    def event(self) -> _E_co:
        """The typed event, read once. Raises ``malformed_event``, ``header_body_mismatch``."""
    def check_headers(self) -> None:
        """Raises ``header_body_mismatch`` if a header outside the MAC contradicts the verified
        body; ``key`` and ``event`` do so too."""
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class Signer:
    """Makes deliveries for tests that are byte-identical to production.

    A list (``t=…,v1=…``) is signed with every secret, as during a rotation. Raises
    ``too_many_secrets`` if the header carries only one signature, and what ``Verifier``
    raises.
    """

    def __new__(cls, scheme: str | Scheme, secrets: _Secrets) -> Signer: ...
    def sign(self, body: Buffer, now: float | datetime | None = None) -> SignedDelivery:
        """Signs the raw body as of ``now``, by default the present: seconds since the epoch, or
        an aware ``datetime``. A header that repeats a member of the body is included if the
        body has that member. Raises ``body_already_parsed``, ``invalid_option`` (``now``).
        """
    @property
    def scheme(self) -> str:
        """The name of the scheme that deliveries are signed in."""

@final
class SignedDelivery:
    """A signed test delivery: send ``body`` with ``headers``."""

    @property
    def body(self) -> bytes:
        """The raw body, unchanged."""
    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names as the system writes them, and values: pairs, as HTTP libraries take them."""
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class AuditEvent:
    """An audit event as the API lists and exports it.

    Its members are located once, and each is parsed when you read it. Any may be absent; a
    member of an undocumented type reads as ``None``, and is still in ``raw``. The repr shows no
    PHI.

    An event keeps the memory of the response that it came in alive. To hold a few events for a
    long time, hold ``AuditEvent.from_json(event.raw)``.
    """

    @staticmethod
    def from_json(text: str) -> AuditEvent:
        """Reads an event from its JSON text, such as a row of an exported file. Raises
        ``malformed_response`` if it is not a JSON object."""
    @property
    def event_id(self) -> str | None:
        """The event's id; in a delivery it is called ``id``."""
    @property
    def timestamp(self) -> datetime | None:
        """When it happened."""
    @property
    def action(self) -> str | None:
        """What happened, as text; in a delivery it is called ``type``."""
    @property
    def type(self) -> health.EventType | events.OtherType | None:
        """What happened, as an ``EventType``."""
    @property
    def user_id(self) -> str | None:
        """The id of the user who did it."""
    @property
    def user_role(self) -> str | None:
        """The user's role, such as ``data_analyst``."""
    @property
    def resource_type(self) -> str | None:
        """The kind of resource, such as ``claim``."""
    @property
    def resource_id(self) -> str | None:
        """The resource's id."""
    @property
    def fields_accessed(self) -> Any:
        """Which fields of the resource were read: parsed from the JSON that the system sends
        inside a string."""
    @property
    def phi_involved(self) -> bool | None:
        """Whether protected health information was involved."""
    @property
    def tenant_id(self) -> str | None:
        """The tenant it belongs to."""
    @property
    def source_ip(self) -> str | None:
        """The IP address that the request came from."""
    @property
    def user_agent(self) -> str | None:
        """The user agent of the request."""
    @property
    def justification(self) -> str | None:
        """The stated reason."""
    @property
    def success(self) -> bool | None:
        """Whether the action succeeded."""
    @property
    def details(self) -> Any:
        """Free-form details: parsed JSON, whether it was sent as an object or inside a
        string."""
    @property
    def raw(self) -> str:
        """The system's own text."""
    @property
    def line(self) -> str:
        """The same on one line, without a line end: as received, except that line breaks
        between members are removed."""
    @property
    def key(self) -> str | None:
        """The identity to deduplicate on: equal to the key of the event's delivery. ``None`` if
        the event lacks its id or its action."""
    def member(self, name: str) -> Any:
        """Any member by name, including members that this version does not know."""
    def to_dict(self) -> dict[str, Any]:
        """All members, as the system wrote them."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[[str], AuditEvent], tuple[str]]: ...

@final
class Manifest:
    """The proof of an export: the leaves that tile its window, and what each of them holds. A
    leaf is a window that was read completely in one go."""

    @staticmethod
    def read(exported: str | PathLike[str]) -> Manifest:
        """Reads the manifest of an exported file. Raises ``file_unusable`` if there is none,
        ``file_mismatch`` if the file found is not a manifest."""
    def verify(self, exported: str | PathLike[str]) -> None:
        """Checks that the leaves tile the window, and that the file holds exactly their rows:
        all that the system had up to ``complete_until``. Raises ``file_unusable``,
        ``file_mismatch``."""
    @property
    def format(self) -> int:
        """The version of the manifest format."""
    @property
    def base_url(self) -> str:
        """The base URL that the rows came from. The tenant is not recorded: the API key decided
        it."""
    @property
    def since(self) -> datetime:
        """The start of the window."""
    @property
    def until(self) -> datetime:
        """The end of the window, exclusive."""
    @property
    def complete_until(self) -> datetime:
        """Up to here the window was over when it was read. It is ``until``, unless the window
        ended in the future: what happened from here on may be missing."""
    @property
    def phi_involved(self) -> bool | None:
        """The filter: ``None`` if both kinds of events were exported."""
    @property
    def rows(self) -> int:
        """How many rows there are."""
    @property
    def bytes(self) -> int:
        """How many bytes the file has."""
    @property
    def leaves(self) -> tuple[health.LeafProof, ...]:
        """The leaves, in order of time and of their place in the file."""
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Call:
    def wait(self) -> Any: ...
    def future(self) -> Future[Any]: ...

@final
class Stream: ...

class Taker(Iterator[_T]):
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __new__(cls, stream: Stream, *, whole: bool = False) -> Self: ...
    def __next__(self) -> _T: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...
    def _take(self) -> _T | Call | None:
        """The next item, ``None`` at the end, or a ``Call`` that waits until it is worth
        asking again. After an error it is that error again."""
    def _whole(self) -> Taker[Any]:
        """What was not yet begun, page by page."""
    def close(self) -> None:
        """Ends it, and whatever is being fetched."""

@final
class Claim:
    @property
    def state(self) -> Literal["fresh", "in_flight", "done"]: ...
    @property
    def retry_after(self) -> float | None: ...
    @property
    def epoch(self) -> int | None: ...
    def commit(self) -> Call: ...
    def release(self) -> Call: ...
    def renew(self) -> Call: ...

@final
class Store:
    @staticmethod
    def memory(*, capacity: int | None = None, **options: Any) -> Store: ...
    @staticmethod
    def open(url: str, **options: Any) -> Store: ...
    @staticmethod
    def custom(verbs: Callable[[str, str, int | None, bool, Answer], None]) -> Store: ...
    def ready(self) -> Call: ...
    def close(self) -> None: ...
    def in_transaction(self) -> Statements | None: ...
    def claim(self, key: str) -> Call: ...
    def held(self) -> int: ...
    def dropped_early(self) -> int: ...

@final
class Answer:
    def claimed(self, state: object, epoch: object, retry_after: object) -> None: ...
    def ended(self) -> None: ...
    def failed(self, code: str | None, reason: str) -> None: ...

_Statement = tuple[str, tuple[str | int, ...]]
_Claimed = tuple[Literal["fresh", "in_flight", "done"], int | None, float | None]

@final
class Statements:
    @property
    def database(self) -> Literal["sqlite", "postgres"]: ...
    def claim(self, key: str) -> _Statement: ...
    def fresh(self, row: int) -> _Claimed: ...
    def standing(self, key: str) -> _Statement: ...
    def stands(self, row: tuple[int, int] | None) -> _Claimed: ...
    def commit(self, key: str, epoch: int) -> _Statement: ...
    def committed(self, rows: int) -> None: ...

@final
class Work:
    @property
    def key(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def delivery(self) -> Delivery[Any]: ...
    @property
    def event(self) -> Any: ...
    def done(self) -> Call: ...
    def committed(self) -> Call: ...
    def release(self) -> Call: ...
    def renew(self) -> Call: ...

@final
class Listed:
    def done(self) -> Call: ...
    def release(self) -> Call: ...

@final
class Receiver:
    def __new__(
        cls, verifier: Verifier[Any], store: Store, *, body_limit: int | None = None
    ) -> Receiver: ...
    @property
    def body_limit(self) -> int: ...
    def unreadable(self) -> receiving.Reply: ...
    def begin(self, body: Buffer, headers: Headers) -> Call: ...
    def backfill(self, key: str) -> Call: ...

@final
class Health:
    def __new__(cls, api_key: str, **options: Any) -> Health: ...
    @staticmethod
    def from_env(**options: Any) -> Health: ...
    def close(self) -> None: ...
    def base_url(self) -> str: ...
    def rate_limit(self) -> RateLimit: ...
    def probe(self) -> Call: ...
    def events(
        self,
        *,
        since: datetime | str | None,
        until: datetime | str | None,
        action: str | None,
        resource_type: str | None,
        phi_involved: bool | None,
        limit: int | None,
        cursor: str | None,
    ) -> Stream: ...
    def event(self, id: str) -> Call: ...
    def export(
        self,
        *,
        since: datetime | str,
        until: datetime | str,
        phi_involved: bool | None,
        concurrency: int | None,
        on_progress: Callable[[health.Progress], object] | None,
    ) -> Stream: ...
    def export_once(
        self, *, since: datetime | str, until: datetime | str, phi_involved: bool | None
    ) -> Call: ...
    def export_to_file(
        self,
        path: str | PathLike[str],
        *,
        since: datetime | str,
        until: datetime | str,
        phi_involved: bool | None,
        concurrency: int | None,
        on_progress: Callable[[health.Progress], object] | None,
    ) -> Call: ...
    def create_webhook(
        self, url: str, *, event_filter: Sequence[str], description: str | None
    ) -> Call: ...
    def list_webhooks(self) -> Call: ...
    def disable_webhook(self, id: str) -> Call: ...
    def delete_webhook(self, id: str) -> Call: ...

@final
class Billing:
    def __new__(cls, api_key: str, **options: Any) -> Billing: ...
    def close(self) -> None: ...
    def base_url(self) -> str: ...
    def rate_limit(self) -> RateLimit: ...
    def recon_summary(self) -> Call: ...
    def run_recon(self, invoice_id: str, run_key: str) -> Call: ...
    def audit_csv(self, run_id: str) -> Stream: ...
    def journal_csv(self, path: str, format: str) -> Stream: ...
    def deliveries(
        self, endpoint_id: str, *, status: str | None, limit: int | None, cursor: str | None
    ) -> Stream: ...
    def retry_delivery(self, id: str) -> Call: ...
    def refire_failed(
        self,
        endpoint_id: str,
        *,
        writes_per_minute: int | None,
        on_progress: Callable[[billing.Progress], object] | None,
    ) -> Call: ...

@final
class Curae:
    def __new__(cls, api_key: str, **options: Any) -> Curae: ...
    def close(self) -> None: ...
    def base_url(self) -> str: ...
    def rate_limit(self) -> RateLimit: ...
    def create_webhook(
        self, url: str, event_types: Sequence[str], *, idempotency_key: str | None
    ) -> Call: ...
    def list_webhooks(self, *, limit: int | None, cursor: str | None) -> Stream: ...
    def get_webhook(self, id: str) -> Call: ...
    def get_webhook_if_changed(self, id: str, etag: str) -> Call: ...
    def update_webhook(
        self,
        id: str,
        etag: str,
        *,
        url: str | None,
        event_types: Sequence[str] | None,
        status: str | None,
        idempotency_key: str | None,
    ) -> Call: ...
    def delete_webhook(self, id: str, etag: str) -> Call: ...

@final
class Tv:
    def __new__(cls, token: str | Callable[[], str], **options: Any) -> Tv: ...
    def close(self) -> None: ...
    def base_url(self) -> str: ...
    def rate_limit(self) -> RateLimit: ...
    def create_webhook(self, client_id: str, url: str, events: Sequence[str]) -> Call: ...
    def events(self, *, idle_timeout: float | None, max_outage: float | None) -> Stream: ...
