"""Whether the directory knows an administrator who can be told something."""

from common.contracts.vocabulary import Role
from common.mongo.directory import Directory
from scheduler.application.alert_ports import Reachable


class DirectoryAdministrators:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def reachable(self) -> Reachable:
        admins = await self._directory.staff([Role.ADMIN])
        return Reachable(any(one.get("phone") for one in admins), any(one.get("email") for one in admins))
