"""How many calls that nothing paces may be under way at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """So many places, taken several at a time in the order of asking and left one by one."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def entered(self, places: int) -> AsyncIterator["Company"]:
        """Wait until so many places are free (all of them, for a company larger than the room) and hold them."""
        async with self._turn:
            while self._taken and self._taken + places > self._places:
                self._left.clear()
                await self._left.wait()
            self._taken += places
        company = Company(self, places)
        try:
            yield company
        finally:
            company.leave(company.places)

    def leave(self, places: int) -> None:
        self._taken -= places
        self._left.set()


class Company:
    """Those who entered together; each may leave before the others."""

    def __init__(self, room: Room, places: int) -> None:
        self._room = room
        self.places = places

    def leave(self, places: int = 1) -> None:
        self.places -= places
        self._room.leave(places)
