"""Every mail that was taken, as its reader sees it and as it came."""

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.ledger import Message


@dataclass(slots=True, frozen=True)
class Mail:
    """One mail; ``message`` is its entry in the ledger."""

    message: "Message"
    sender: str
    raw: bytes


@dataclass(slots=True)
class Mailbox:
    """All mails in order of arrival, whoever they are for."""

    mails: list[Mail] = field(default_factory=list)

    def to(self, recipient: str | None) -> list[Mail]:
        return [mail for mail in self.mails if recipient is None or mail.message.recipient == recipient]

    def get(self, index: int) -> Mail | None:
        return next((mail for mail in self.mails if mail.message.index == index), None)

    def clear(self) -> None:
        self.mails.clear()


def parsed(raw: bytes) -> EmailMessage:
    read = message_from_bytes(raw, policy=policy.default)
    if not isinstance(read, EmailMessage):
        raise TypeError("the default policy makes EmailMessages")
    return read


def text_of(read: EmailMessage, kind: str = "plain") -> str:
    """The body of that kind; empty when there is none."""
    part = read.get_body((kind,))
    return "" if part is None else str(part.get_content())


def as_json(mail: Mail) -> dict[str, Any]:
    """What a reader sees, and the headers; ``raw`` is the mail itself."""
    read = parsed(mail.raw)
    return {
        "index": mail.message.index,
        "from": mail.sender,
        "to": mail.message.recipient,
        "subject": str(read["Subject"] or ""),
        "text": text_of(read),
        "html": text_of(read, "html"),
        "message_id": str(read["Message-ID"] or ""),
        "attempt": str(read["X-Kabar-Attempt"] or ""),
        "headers": {name: str(value) for name, value in read.items()},
        "received_at": mail.message.call.received_at,
        "raw": mail.raw.decode("utf-8", "replace"),
    }
