"""Runs the adapter against the simulated GitHub, as a workflow would, without waiting."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from backstay.contributing.github.client import GitHub as Client
from backstay.contributing.github.payloads import read_payload
from backstay.contributing.github.reading import Where
from backstay.contributing.github.running import Report, Runner, run, sweep
from tests.contributing.github.simulator import GitHub


class Site:
    """A repository with our workflow."""

    def __init__(self, github: GitHub, folder: Path) -> None:
        self.github, self.folder = github, folder
        self.waits: list[float] = []
        self.home = 'acme/portal'

    def run(self, name: str, payload: dict[str, Any], *, dry: bool = False) -> Report:
        """One event."""
        return asyncio.run(self.running(name, payload, dry=dry))

    async def running(
        self,
        name: str,
        payload: dict[str, Any],
        *,
        dry: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Report:
        """One event, in a loop of the test's own."""
        file = self.folder / 'event.json'
        file.write_text(json.dumps(payload))
        read = read_payload(name, file)
        assert read.event
        async with self._client(transport) as client:
            return await run(self._runner(client, dry=dry), read.event)

    def sweep(self, *, dry: bool = False) -> Report:
        """The daily sweep."""

        async def sweeping() -> Report:
            async with self._client(None) as client:
                return await sweep(self._runner(client, dry=dry))

        return asyncio.run(sweeping())

    def _client(self, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=transport or self.github.transport)

    def _runner(self, client: httpx.AsyncClient, *, dry: bool) -> Runner:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        return Runner(
            github=Client(client, token='secret-token', sleep=sleep),
            where=Where(repository='acme/portal', home=self.home),
            clock=lambda: self.github.now,
            dry=dry,
        )
