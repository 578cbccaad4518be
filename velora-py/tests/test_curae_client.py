"""The client of CuraeAI, synchronous and asynchronous, against the simulator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from simulated import CURAE_KEY, CURAE_NO_SCOPE_KEY, Simulator
from velora import ApiError, ConfigError, SigningSecret, Verifier, curae
from velora.curae import EventType

URL = "https://example.com/hook"
READY = [EventType.RECORDS_EXPORT_READY]
PATH = "/api/platform/*"


@pytest.fixture
def client(either: Either, simulator: Simulator) -> Any:
    return either.client(curae, CURAE_KEY, **simulator.options())


def test_registers(client: Any) -> None:
    made = client.webhooks.create(URL, READY)
    assert isinstance(made, curae.Registration)
    assert isinstance(made.secret, SigningSecret)
    assert Verifier("curae", made.secret).scheme == "curae"
    endpoint = made.endpoint
    assert (endpoint.url, endpoint.status) == (URL, "ACTIVE")
    assert endpoint.event_types == tuple(READY)
    assert [type(each) for each in endpoint.event_types] == [EventType]
    assert isinstance(endpoint.created_at, datetime)
    assert endpoint.version is not None
    assert "signingSecret" not in endpoint.extra
    found = client.webhooks.get(endpoint.id)
    assert isinstance(found, curae.Versioned)
    assert (found.endpoint.id, found.etag) == (endpoint.id, made.etag)


def test_a_key_of_ones_own_makes_one_registration(client: Any, simulator: Simulator) -> None:
    key = f"mine {simulator.url} {type(client).__name__}"
    one = client.webhooks.create(URL, READY, idempotency_key=key)
    two = client.webhooks.create(URL, READY, idempotency_key=key)
    assert one.endpoint.id == two.endpoint.id
    assert one.secret.expose_secret() == two.secret.expose_secret()
    other = client.webhooks.create(URL, READY)
    assert other.endpoint.id != one.endpoint.id


def test_an_answer_that_is_lost_is_asked_for_again(client: Any, simulator: Simulator) -> None:
    before = len(list(client.webhooks.list(limit=100)))
    simulator.inject("reset_after", path=PATH, method="POST")
    made = client.webhooks.create(URL, READY)
    assert len(list(client.webhooks.list(limit=100))) == before + 1
    simulator.inject("reset_after", path=PATH, method="DELETE")
    assert client.webhooks.delete(made.endpoint.id, made.etag) is None
    assert len(list(client.webhooks.list(limit=100))) == before


def test_lists_page_by_page(client: Any) -> None:
    made = {client.webhooks.create(URL, READY).endpoint.id for _ in range(5)}
    pages = list(client.webhooks.list(limit=2).pages())
    assert all(len(page) <= 2 for page in pages)
    assert len(pages) > 2
    found = [endpoint.id for page in pages for endpoint in page]
    assert made <= set(found)
    assert len(found) == len(set(found))
    assert [endpoint.id for endpoint in client.webhooks.list()] == found
    rest = client.webhooks.list(cursor=pages[0].next_cursor)
    assert [endpoint.id for endpoint in rest] == found[2:]
    assert code_of(lambda: client.webhooks.list(cursor="")) == "invalid_option"
    for limit in [0, 101, -1, 1 << 20]:
        assert code_of(lambda: client.webhooks.list(limit=limit)) == "invalid_option"  # noqa: B023


def test_changes_the_version_that_is_meant(client: Any) -> None:
    made = client.webhooks.create(URL, READY)
    id, old = made.endpoint.id, made.etag
    assert client.webhooks.get_if_changed(id, old) is None
    types = [EventType.USER_GRADUATED]
    changed = client.webhooks.update(id, old, event_types=types, url=URL + "/2")
    assert changed.endpoint.event_types == tuple(types)
    assert (changed.endpoint.url, changed.etag != old) == (URL + "/2", True)
    for call in [
        lambda: client.webhooks.update(id, old, status="PAUSED"),
        lambda: client.webhooks.delete(id, old),
    ]:
        with pytest.raises(ApiError) as raised:
            call()
        assert (raised.value.code, raised.value.status) == ("conflict", 412)
    now = client.webhooks.get_if_changed(id, old)
    assert now.etag == changed.etag
    any_version = client.webhooks.update(id, "*", idempotency_key="k" + id, event_types=READY)
    assert any_version.endpoint.event_types == tuple(READY)
    assert client.webhooks.delete(id, "*") is None
    with pytest.raises(ApiError) as raised:
        client.webhooks.get(id)
    assert (raised.value.code, raised.value.vendor_code) == ("not_found", "NOT_FOUND")


def test_what_no_header_can_carry_is_not_sent(client: Any, simulator: Simulator) -> None:
    for odd in ["", " ", "a\r\nX: y", "é"]:
        for call in [
            lambda: client.webhooks.create(URL, READY, idempotency_key=odd),  # noqa: B023
            lambda: client.webhooks.update("whe_1", odd),  # noqa: B023
            lambda: client.webhooks.delete("whe_1", odd),  # noqa: B023
            lambda: client.webhooks.get_if_changed("whe_1", odd),  # noqa: B023
            lambda: client.webhooks.get(".."),
        ]:
            with pytest.raises(ApiError) as raised:
                call()
            assert (raised.value.code, raised.value.attempts) == ("invalid_request", 0)
    assert simulator.requests() == []


def test_event_types_are_a_list(client: Any) -> None:
    for call in [
        lambda: client.webhooks.create(URL, "records.export.ready"),
        lambda: client.webhooks.update("whe_1", '"1"', event_types="records.export.ready"),
    ]:
        with pytest.raises(TypeError, match="`event_types`: expected a list of str, not str"):
            call()


def test_the_systems_own_code_is_told(either: Either, simulator: Simulator) -> None:
    stranger = either.client(curae, CURAE_NO_SCOPE_KEY, **simulator.options())
    with pytest.raises(ApiError) as raised:
        stranger.webhooks.get("whe_1")
    error = raised.value
    assert (error.code, error.vendor_code) == ("forbidden", "SCOPE_INSUFFICIENT")
    with pytest.raises(ApiError) as raised:
        either.client(curae, CURAE_KEY, **simulator.options()).webhooks.create(
            "http://example.com", READY
        )
    assert raised.value.code == "invalid_request"


def test_a_key_of_the_other_environment_is_refused(either: Either) -> None:
    for key, url, code in [
        ("cae_live_canary", "https://sandbox.curaeai.com", "wrong_environment"),
        ("cae_test_canary", "https://api.curaeai.com", "wrong_environment"),
        ("canary", "https://api.curaeai.com", "invalid_api_key"),
    ]:
        with pytest.raises(ConfigError) as raised:
            either.client(curae, key, base_url=url)
        assert raised.value.code == code
        assert "canary" not in str(raised.value) + repr(raised.value)
    assert code_of(lambda: either.client(curae, "canary")) == "invalid_api_key"
    assert either.client(curae, "cae_test_canary") is not None
