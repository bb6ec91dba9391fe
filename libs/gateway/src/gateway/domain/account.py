"""The accounts a gateway may send with."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    """One sender and what it proves itself with; the credential never shows in a representation."""

    sender: str
    credential: str = field(repr=False)


def by_sender(accounts: Iterable[Account]) -> dict[str, Account]:
    return {account.sender: account for account in accounts}


def accounts(provider: str, credentials: list[str]) -> tuple[Account, ...]:
    """Senders are called `<provider>-<n>`, from 1, in the order of their credentials."""
    return tuple(Account(f"{provider}-{number}", one) for number, one in enumerate(credentials, start=1))
