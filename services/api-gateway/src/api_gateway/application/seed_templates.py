"""Store the texts this release comes with."""

from api_gateway.application.editing_ports import TemplateVersions
from common.telemetry.logs import logger

log = logger()


class SeedTemplates:
    """Once in the life of a process, as soon as the database is there."""

    def __init__(self, templates: TemplateVersions) -> None:
        self._templates = templates
        self._done = False

    async def __call__(self) -> None:
        if self._done:
            return
        stored = await self._templates.seed()
        self._done = True
        if stored:
            log.info("templates.seeded", templates=stored)
