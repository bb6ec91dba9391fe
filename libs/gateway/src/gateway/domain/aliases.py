"""Which variable a provider's token or address is read from.

`FONNTE_API_TOKEN`, and `WHATSAPP_API_TOKEN` when `WHATSAPP_PROVIDER=fonnte`, mean the same; the first that is set
wins. `WHATSAPP_API_KEY` is an older name of `WHATSAPP_API_TOKEN`.
"""

from collections.abc import Mapping


def token_variable(provider: str, values: Mapping[str, str | None]) -> str | None:
    """The variable the provider's tokens are read from; `None` when none is set. `values` by name of the variable."""
    return _first_set(
        values,
        [
            f"{provider.upper()}_API_TOKEN",
            *(["WHATSAPP_API_TOKEN", "WHATSAPP_API_KEY"] if values.get("WHATSAPP_PROVIDER") == provider else []),
            *(["WHATSAPP_BACKUP_API_TOKEN"] if values.get("WHATSAPP_BACKUP_PROVIDER") == provider else []),
        ],
    )


def address_variable(provider: str, values: Mapping[str, str | None]) -> str | None:
    """The variable the provider's address is read from; `None` when none is set."""
    return _first_set(
        values,
        [
            f"{provider.upper()}_API_URL",
            *(["WHATSAPP_API_URL"] if values.get("WHATSAPP_PROVIDER") == provider else []),
            *(["WHATSAPP_BACKUP_API_URL"] if values.get("WHATSAPP_BACKUP_PROVIDER") == provider else []),
        ],
    )


def _first_set(values: Mapping[str, str | None], names: list[str]) -> str | None:
    return next((name for name in names if values.get(name)), None)


def listed(value: str) -> list[str]:
    """The parts of a comma-separated list. Raises `ValueError` for a part no HTTP header can carry."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if any(not mark.isprintable() or not mark.isascii() or mark == " " for part in parts for mark in part):
        raise ValueError("each token must be printable ASCII without spaces")
    return parts


def credentials(tokens: list[str], secrets: list[str]) -> list[str]:
    """`TOKEN.SECRET` for each token: secrets in the tokens' order, or one for all, or none.

    A token that already has its secret (`TOKEN.SECRET`) stays as it is. Raises `ValueError` when they do not match.
    """
    if len(secrets) not in {0, 1, len(tokens)}:
        raise ValueError(f"{len(secrets)} secrets for {len(tokens)} tokens; give one for each, one for all, or none")
    matching = secrets if len(secrets) == len(tokens) else (secrets or [""]) * len(tokens)
    return [
        f"{token}.{secret}" if secret and "." not in token else token
        for token, secret in zip(tokens, matching, strict=True)
    ]
