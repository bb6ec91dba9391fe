"""Makes an entry of KABAR_ADMIN_ACCOUNTS: python -m api_gateway.entrypoints.password NAME ROLE

Asks for the password; takes it from standard input where nobody can be asked.
"""

import sys
from getpass import getpass

from argon2 import PasswordHasher

from api_gateway.domain.accounts import accounts

SHORTEST = 12


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    name, role = arguments
    password = getpass(f"Password for {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST:
        print(f"error: use {SHORTEST} characters or more", file=sys.stderr)  # noqa: T201
        return 1
    entry = f"{name}:{role}:{PasswordHasher().hash(password)}"
    try:
        accounts(entry)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(entry)  # noqa: T201 - what it is for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
