# /// script
# dependencies = ["aiosqlite>=0.21"]
# ///
"""A database: each call is a query of SQLite through aiosqlite, over one connection."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiosqlite


async def query() -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """a query of one row by its key, with aiosqlite."""
    async with aiosqlite.connect(":memory:") as database:
        await database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        rows = [(number, f"item {number}") for number in range(1000)]
        await database.executemany("INSERT INTO items VALUES (?, ?)", rows)

        async def select(index: int) -> object:
            found = await database.execute_fetchall(
                "SELECT name FROM items WHERE id = ?", (index % 1000,)
            )
            return list(found)

        yield select
