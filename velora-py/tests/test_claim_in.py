"""Claims in the caller's own transaction: committed with it, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import psycopg2.extras
import pytest
from psycopg.rows import dict_row
from served_stores import Places
from shops import DRIVERS, KEY, Shop
from velora import ClaimIn, MemoryStore, StoreError, open_store


@pytest.fixture(params=DRIVERS)
def shop(request: Any, places: Places) -> Iterator[Shop]:
    shop = Shop(request.param, places)
    yield shop
    shop.close()


def work(shop: Shop, connection: Any) -> ClaimIn:
    """Claims, has its effect, and commits the claim; the transaction is still open."""
    claim = shop.store.claim_in(connection, KEY)
    if claim.fresh:
        connection.cursor().execute("INSERT INTO effects VALUES (100)")
        shop.store.commit_in(connection, KEY, claim.epoch)
    return claim


def test_what_is_rolled_back_was_not_claimed(shop: Shop) -> None:
    connection = shop.connect()
    assert work(shop, connection).fresh
    again = work(shop, connection)
    assert (again.state, again.epoch, again.retry_after) == ("done", None, None)
    connection.rollback()
    assert (shop.effects(), shop.state()) == (0, "fresh")


def test_what_is_committed_is_done_with_its_effect(shop: Shop) -> None:
    connection = shop.connect()
    assert work(shop, connection).fresh
    connection.commit()
    assert work(shop, connection).state == "done"
    connection.rollback()
    assert (shop.effects(), shop.state()) == (1, "done")


def test_a_claim_within_a_claim_is_in_flight(shop: Shop) -> None:
    connection = shop.connect()
    with shop.store.claim(KEY) as held:
        claim = shop.store.claim_in(connection, KEY)
        assert (claim.state, claim.fresh, claim.epoch) == ("in_flight", False, None)
        assert claim.retry_after is not None
        assert 0 < claim.retry_after <= 60
        connection.rollback()
        held.release()
    with pytest.raises(ValueError, match="not fresh"):
        shop.store.commit_in(connection, KEY, claim.epoch)


def test_nobody_waits_for_a_transaction_of_postgres(places: Places) -> None:
    shop = Shop("psycopg", places)
    connection = shop.connect()
    assert work(shop, connection).fresh
    assert shop.state() == "in_flight"
    assert work(shop, shop.connect()).state == "in_flight"
    connection.commit()
    assert shop.state() == "done"
    shop.close()


def test_a_transaction_stays_in_the_namespace_of_its_store(shop: Shop) -> None:
    other = open_store(shop.url, timeout=30, namespace="other")
    connection = shop.connect()
    assert work(shop, connection).fresh
    claim = other.claim_in(connection, KEY)
    assert claim.fresh
    connection.commit()
    assert shop.state() == "done"
    with other.claim(KEY) as held:
        assert held.state == "in_flight"
    other.commit_in(connection, KEY, claim.epoch)
    connection.commit()
    with other.claim(KEY) as held:
        assert held.state == "done"


def test_a_pipeline_knows_what_it_has_committed(places: Places) -> None:
    shop = Shop("psycopg", places)
    connection = shop.connect()
    with connection.pipeline():
        assert work(shop, connection).fresh
        with pytest.raises(StoreError) as raised:
            shop.store.commit_in(connection, "another", 1)
        assert raised.value.code == "lease_lost"
    connection.commit()
    assert (shop.effects(), shop.state()) == (1, "done")
    shop.close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_lost_lease_has_no_effect(driver: str, places: Places) -> None:
    shop = Shop(driver, places, lease=0.1)
    first, second = shop.store.claim(KEY), shop.store.claim(KEY)
    first.__enter__()
    time.sleep(0.2)
    second.__enter__()
    connection = shop.connect()
    effect = "INSERT INTO effects VALUES (100)"
    connection.cursor().execute(effect)
    with pytest.raises(StoreError) as raised:
        shop.store.commit_in(connection, KEY, first.epoch)
    assert raised.value.code == "lease_lost"
    connection.rollback()
    connection.cursor().execute(effect)
    shop.store.commit_in(connection, KEY, second.epoch)
    connection.commit()
    assert (shop.effects(), shop.state()) == (1, "done")
    shop.close()


def test_rows_may_be_anything_to_the_connection(places: Places) -> None:
    for driver, options in [
        ("sqlite3", {}),
        ("psycopg", {"row_factory": dict_row}),
        ("psycopg2", {"cursor_factory": psycopg2.extras.RealDictCursor}),
    ]:
        shop = Shop(driver, places)
        connection = shop.connect(**options)
        if driver == "sqlite3":
            connection.row_factory = sqlite3.Row
        assert work(shop, connection).fresh
        assert work(shop, connection).state == "done"
        connection.commit()
        assert shop.state() == "done"
        shop.close()


def autocommitting(shop: Shop) -> Any:
    if shop.driver == "psycopg2":
        connection = shop.connect()
        connection.autocommit = True
        return connection
    options = {"isolation_level": None} if shop.driver == "sqlite3" else {"autocommit": True}
    return shop.connect(**options)


def test_a_connection_that_commits_by_itself_wants_a_transaction(shop: Shop) -> None:
    connection = autocommitting(shop)
    with pytest.raises(ValueError, match="begin a transaction"):
        shop.store.claim_in(connection, KEY)
    assert shop.state() == "fresh"
    connection.cursor().execute("BEGIN")
    assert work(shop, connection).fresh
    connection.cursor().execute("COMMIT")
    assert shop.state() == "done"


def test_a_connection_of_something_else_is_refused(places: Places) -> None:
    sqlite, postgres = Shop("sqlite3", places), Shop("psycopg", places)
    for store, odd in [
        (sqlite.store, postgres.connect()),
        (postgres.store, sqlite.connect()),
        (postgres.store, None),
        (MemoryStore(), sqlite.connect()),
        (places.store("redis"), postgres.connect()),
    ]:
        with pytest.raises(TypeError):
            store.claim_in(odd, KEY)
        with pytest.raises(TypeError):
            store.commit_in(odd, KEY, 1)
    sqlite.close()
    postgres.close()


def test_what_the_database_says_is_raised(places: Places) -> None:
    shop = Shop("sqlite3", places)
    elsewhere = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        shop.store.claim_in(elsewhere, KEY)
    elsewhere.close()
    shop.close()


class Derived(sqlite3.Connection):
    """One's own connection."""


def test_a_derived_connection_is_one_too(places: Places) -> None:
    shop = Shop("sqlite3", places)
    connection = shop.connect(factory=Derived)
    assert work(shop, connection).fresh
    connection.commit()
    assert shop.state() == "done"
    shop.close()


def test_an_asynchronous_connection_is_awaited(places: Places) -> None:
    shop = Shop("psycopg", places)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(
            shop.url, row_factory=dict_row
        ) as connection:
            for rolled_back in [True, False]:
                claim = await shop.store.aclaim_in(connection, KEY)
                assert claim.fresh
                await connection.execute("INSERT INTO effects VALUES (100)")
                await shop.store.acommit_in(connection, KEY, claim.epoch)
                if rolled_back:
                    await connection.rollback()
            again = await shop.store.aclaim_in(connection, KEY)
            assert again.state == "done"
            with pytest.raises(StoreError) as raised:
                await shop.store.acommit_in(connection, KEY, 1)
            assert raised.value.code == "lease_lost"
            with pytest.raises(TypeError):
                shop.store.claim_in(connection, KEY)
        for waiting in [shop.connect(), None]:
            with pytest.raises(TypeError):
                await shop.store.aclaim_in(waiting, KEY)

    asyncio.run(main())
    assert (shop.effects(), shop.state()) == (1, "done")
    shop.close()
