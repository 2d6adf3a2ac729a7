# /// script
# dependencies = ["aiohttp>=3.12"]
# ///
"""An HTTP client: each call is a GET request to a server, here one on this machine."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    """The server's part."""
    return web.json_response({"path": request.path})


async def get() -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    """a GET request with aiohttp, over at most 100 connections."""
    application = web.Application()
    application.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]

    async with aiohttp.ClientSession() as session:

        async def fetch(index: int) -> object:
            async with session.get(f"http://{host}:{port}/{index}") as response:
                return await response.json()

        yield fetch
    await runner.cleanup()
