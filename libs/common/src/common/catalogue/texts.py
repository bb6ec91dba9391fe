"""The texts that come with Kabar: `templates/<type>.whatsapp.txt`, and `<type>.email.txt` with its subject first."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import NotificationType

SUBJECT = "Subject: "


@dataclass(frozen=True)
class Texts:
    """Template sources of one type; the e-mail ones come together or not at all."""

    whatsapp: str
    email_subject: str | None = None
    email_text: str | None = None


@cache
def builtin_texts(notification_type: NotificationType) -> Texts | None:
    """The texts of a type, read when they are first asked for; `None` for `custom`, which brings its own."""
    whatsapp = _read(f"{notification_type}.whatsapp.txt")
    if whatsapp is None:
        return None
    email = _read(f"{notification_type}.email.txt")
    if email is None:
        return Texts(whatsapp)
    subject, _, text = email.partition("\n")
    if not subject.startswith(SUBJECT):
        raise ValueError(f"the first line of {notification_type}.email.txt must start with {SUBJECT!r}")
    return Texts(whatsapp, subject.removeprefix(SUBJECT).strip(), text.strip("\n"))


def texts_of(document: TemplateDocument) -> Texts:
    """The sources of one stored version."""
    return Texts(document["whatsapp"], document["email_subject"], document["email_text"])


def _read(name: str) -> str | None:
    resource = files("common.catalogue").joinpath("templates", name)
    return resource.read_text("utf-8").strip("\n") if resource.is_file() else None
