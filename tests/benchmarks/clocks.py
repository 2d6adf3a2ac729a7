"""A clock for tests."""

from __future__ import annotations


class FakeClock:
    """Moves only where it is told to; call it for the time in seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
