"""Where a provider is called, from the ways an operator may write it down."""

from urllib.parse import urlsplit


def web_address(value: str) -> str:
    """The address without a trailing slash. Raises `ValueError` saying what it must look like."""
    text = value.strip().rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(mark.isspace() for mark in text):
        raise ValueError("must be a web address, like https://api.example.com")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be a plain web address, without user, query or fragment")
    _ = parts.port  # raises ValueError for what is not a port
    return text


def server_address(address: str, endings: tuple[str, ...]) -> str:
    """The server's part of an address that may already name one of the calls in `endings`."""
    for ending in sorted(endings, key=len, reverse=True):
        if address.endswith(ending):
            return address.removesuffix(ending)
    return address
