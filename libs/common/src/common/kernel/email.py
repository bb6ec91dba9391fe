"""E-mail addresses: one spelling inside, masked outside."""

import re

LONGEST = 254
"""RFC 5321, 4.5.3.1.3: what fits between the angle brackets."""
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})", re.ASCII)
_EXAMPLE = "it must look like nama@example.com"
_SHOWN_DOMAIN = re.compile(r"(?!(?:\D*\d){5})[\w.-]*\.[^\W\d_]{2,63}")
"""With at most four digits: more could be somebody's number."""
_IN_TEXT = re.compile(r"(?<![\w.*+%-])([\w.'+-]{1,64})@((?:[\w-]{1,63}\.)+\w{2,63})")


class InvalidEmail(ValueError):  # noqa: N818 - named as the code INVALID_EMAIL that clients see
    """The value is no e-mail address that mail can be sent to; the text says what to write instead."""


def normalise_email(value: str) -> str:
    """Spell an address the one way it is stored: in small letters, a domain with other letters in its ASCII form.

    Raises `InvalidEmail` for everything that a mail server could take for several addresses, or for none. Capitals
    before the @ mean nothing to any provider of note, and two spellings of one mailbox would be told everything twice.
    """
    local, at, domain = value.strip().rpartition("@")
    if not at:
        raise InvalidEmail(f"not an e-mail address; {_EXAMPLE}")
    if len(local) > 64 or not _LOCAL.fullmatch(local.lower()):
        raise InvalidEmail(f"what stands before the @ is not letters, digits and dots; {_EXAMPLE}")
    try:
        ascii_domain = domain.lower().encode("idna").decode()
    except UnicodeError as error:
        raise InvalidEmail(f"what stands after the @ is no domain; {_EXAMPLE}") from error
    if not _DOMAIN.fullmatch(ascii_domain):
        raise InvalidEmail(f"what stands after the @ is no domain; {_EXAMPLE}")
    address = f"{local.lower()}@{ascii_domain}"
    if len(address) > LONGEST:
        raise InvalidEmail(f"an e-mail address has at most {LONGEST} characters")
    return address


def is_email(recipient: str) -> bool:
    """Whether a normalised recipient is an e-mail address, and not a number or a WhatsApp group."""
    return "@" in recipient and not recipient.endswith("@g.us")


def looks_like_email(value: str) -> bool:
    """Whether whoever wrote this meant an e-mail address: it may still be none."""
    _, at, domain = value.strip().rpartition("@")
    return bool(at) and domain.lower() not in {"g.us", "s.whatsapp.net", "c.us", "lid"}


def is_maskable(value: str) -> bool:
    """Whether a value is masked as an e-mail address, not as a number: its domain may be shown."""
    _, at, domain = value.strip().rpartition("@")
    return bool(at) and _SHOWN_DOMAIN.fullmatch(domain) is not None and looks_like_email(value)


def mask_email(address: str) -> str:
    """Keep the first character and the domain: `s***@example.com`."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"


def mask_emails_in_text(text: str) -> str:
    """Mask every e-mail address in a text."""
    return _IN_TEXT.sub(lambda match: mask_email(match.group()), text) if "@" in text else text
