"""People who may sign in at the admin page with a password, as the configuration names them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from common.contracts.vocabulary import Role

_NAME = re.compile(r"[A-Za-z0-9._@-]{1,80}")
_HASH = "$argon2id$"
FORM = (
    "name:role:hash, several of them separated by spaces, the hash as `python -m api_gateway.entrypoints.password` says"
)


@dataclass(frozen=True)
class Account:
    """`hash` is argon2's, with its parameters and salt."""

    name: str
    role: Role
    hash: str = field(repr=False)


def accounts(text: str) -> Mapping[str, Account]:
    """The accounts of a setting, by name; raises `ValueError` saying what to write, and nothing of what was written."""
    found: dict[str, Account] = {}
    for number, entry in enumerate(text.split(), 1):
        name, _, rest = entry.partition(":")
        role, _, hashed = rest.partition(":")
        if not _NAME.fullmatch(name) or role not in list(Role) or not hashed.startswith(_HASH):
            raise ValueError(f"account {number} must read {FORM}; roles are {', '.join(Role)}")
        if name in found:
            raise ValueError(f"account {number} has the name of one before it")
        found[name] = Account(name, Role(role), hashed)
    return found
