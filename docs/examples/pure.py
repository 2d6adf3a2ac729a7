"""A pure function: each call parses a small JSON document, after one suspension."""

import asyncio
import json

DOCUMENT = json.dumps({"name": "fan-out", "numbers": list(range(20))})


async def parse(index: int) -> int:
    """parse a small JSON document."""
    await asyncio.sleep(0)
    return json.loads(DOCUMENT)["numbers"][index % 20]
