"""A mail as it goes out: RFC 5322, text and HTML, in ASCII on the wire."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from common.contracts.events import AttemptRequest
from common.kernel.email import is_email
from gateway.domain.dialect import Unsendable
from gateway_email.domain.html import html_of

STOP_WORD = "BERHENTI"
"""The subject of a mail that asks for no more of a kind."""
_BROKEN_MARK = re.compile("(?<=[*_~`])\u200b")
"""What keeps a value from formatting a WhatsApp message has nothing to keep it from in a mail."""
_NOT_IN_A_LINE = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who a mail comes from."""

    address: str
    name: str | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to be handed to a server; `content` ends its lines with CR LF."""

    identity: str
    sender: str
    recipient: str
    content: bytes


def write_mail(request: AttemptRequest, writer: Writer, now: datetime) -> Mail:
    """The mail of an attempt. Raises `Unsendable`, saying why, for what is no mail.

    All attempts of one delivery have one Message-ID, so that mailboxes that are handed the same mail twice (its first
    attempt's outcome was unknown) show it once; `X-Kabar-Attempt` tells them apart.
    """
    if not is_email(request.recipient):
        raise Unsendable("the recipient is no e-mail address")
    identity = f"<{request.delivery_id}@{writer.domain}>"
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_line(writer.name or ""), addr_spec=writer.address)
    message["To"] = Address(addr_spec=request.recipient)
    message["Subject"] = _line(_plain(request.subject or ""))
    message["Date"] = format_datetime(now)
    message["Message-ID"] = identity
    message["X-Kabar-Attempt"] = request.reference
    message["Auto-Submitted"] = "auto-generated"
    if request.unsubscribe:
        message["List-Unsubscribe"] = f"<mailto:{writer.address}?subject={STOP_WORD}>"
    text = _plain(request.text)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html_of(text), subtype="html", cte="quoted-printable")
    message.set_boundary(f"={request.delivery_id}=")
    return Mail(identity, writer.address, request.recipient, message.as_bytes())


def _plain(text: str) -> str:
    return _BROKEN_MARK.sub("", text)


def _line(text: str) -> str:
    """On one line, whatever it was: a header must not end where somebody else wants it to."""
    return _NOT_IN_A_LINE.sub(" ", text).strip()
