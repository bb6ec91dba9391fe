"""Where an outgoing webhook may go: to nothing that only we can reach."""

import ipaddress
from urllib.parse import urlsplit

from api_gateway.domain.refusals import invalid

LONGEST = 2048
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""NAT64: the last four bytes are an IPv4 address."""
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is given out; `is_global` also takes what lies outside, like site-local fec0::/10."""
_REFUSED = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.88.99.0/24", "3fff::/20")))
"""What `is_global` takes though it is not public: Azure's platform, 6to4 relays, IPv6 documentation."""


def checked_url(url: str, *, allow_http: bool, allow_private: bool) -> str:
    """A url to post to; raises `Refused`. Addresses behind a name are checked when it is called, each time."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise invalid("url", "not a URL; write https://portal.example/kabar") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_http):
        raise invalid("url", "must begin with https://")
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST:
        raise invalid("url", f"a host and at most {LONGEST} printable ASCII characters, like https://portal.example/")
    if port == 0:
        raise invalid("url", "port 0 cannot be called")
    if parts.username is not None or parts.password is not None:
        raise invalid("url", "may not hold a user or a password; the signature proves who calls")
    if parts.fragment:
        raise invalid("url", "may not have a fragment")
    if not allow_private and _is_private_name(parts.hostname):
        raise invalid("url", "leads to this machine or a private network")
    return url


def reachable_by_all(address: str) -> bool:
    """Whether an IP address is an ordinary public one: not loopback, private, link-local (where clouds keep their
    metadata), multicast or reserved, nor an IPv6 spelling of such a one.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inside is None and ip in _TRANSLATED:
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inside is not None:
            return reachable_by_all(str(inside))
        if ip not in _GLOBAL_UNICAST:
            return False
    if any(ip in network for network in _REFUSED):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _is_private_name(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not reachable_by_all(host)
    except ValueError:  # a name
        return False
