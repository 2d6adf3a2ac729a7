"""A strategy: how you launch your fan-outs, compared with the others."""

import asyncio
from collections.abc import Awaitable, Callable


async def pairs(work: Callable[[int], Awaitable[int]], tasks: int) -> list[int]:
    """two at a time, by gather."""
    results: list[int] = []
    for start in range(0, tasks, 2):
        results += await asyncio.gather(*[work(i) for i in range(start, min(start + 2, tasks))])
    return results
