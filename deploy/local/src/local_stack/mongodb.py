"""A private mongod: its program, its one-member replica set and how to tell that it takes writes."""

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from local_stack.program import Program, bare_environment
from local_stack.rabbitmq import NotInstalledError

DATABASE = "kabar"
_REPLICA_SET = "rs0"
_ALREADY_INITIALISED = 23


@dataclass(frozen=True)
class MongoDB:
    """One private mongod with its files in `directory`, a replica set of one, on 127.0.0.1 only."""

    directory: Path
    port: int
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/{DATABASE}?replicaSet={_REPLICA_SET}"

    def prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def program(self) -> Program:
        command = (
            *(find_mongod(), "--dbpath", str(self.directory), "--bind_ip", "127.0.0.1", "--port", str(self.port)),
            *("--nounixsocket", "--replSet", _REPLICA_SET, "--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25"),
            # zlib is left out: CVE-2025-14847.
            *("--networkMessageCompressors", "snappy,zstd", "--setParameter", "diagnosticDataCollectionEnabled=false"),
            *(part for name, value in self.parameters.items() for part in ("--setParameter", f"{name}={value}")),
        )
        return Program(
            name="mongodb", command=command, environment=bare_environment(), directory=self.directory, stop_seconds=30
        )

    def initiate(self) -> None:
        """Make the empty server a replica set of one; nothing when it is one already.

        Raises PyMongoError while the server does not answer.
        """
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        with self._client() as client:
            try:
                client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": [member]})
            except OperationFailure as failure:
                if failure.code != _ALREADY_INITIALISED:
                    raise
                self._move(client, member)

    def _move(self, client: "MongoClient[dict[str, Any]]", member: dict[str, Any]) -> None:
        """Tell a replica set that moved to another port where it is; otherwise it waits for a member that is gone."""
        current = client.admin.command("replSetGetConfig")["config"]
        if current["members"][0]["host"] != member["host"]:
            current["members"][0]["host"] = member["host"]
            current["version"] += 1
            client.admin.command("replSetReconfig", current, force=True)

    def is_ready(self) -> bool:
        """Whether it takes writes; makes it a replica set on the way."""
        try:
            with self._client() as client:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return True
            self.initiate()
        except PyMongoError:
            return False
        return False

    def _client(self) -> "MongoClient[dict[str, Any]]":
        return MongoClient(
            "127.0.0.1",
            self.port,
            directConnection=True,
            serverSelectionTimeoutMS=500,
            connectTimeoutMS=500,
            socketTimeoutMS=5_000,
        )


def find_mongod() -> str:
    """The mongod of the locked packages, else one in PATH."""
    package = importlib.util.find_spec("fiftyone")
    for place in (package.submodule_search_locations or []) if package else []:
        binary = Path(place) / "db" / "bin" / "mongod"
        if binary.exists():
            return str(binary)
    found = shutil.which("mongod")
    if found is None:
        raise NotInstalledError("mongod is not installed; `make up` installs it with the locked packages")
    return found
