"""Whom somebody means who has a number, an address, or the identity of a row, a notification or a delivery."""

from collections.abc import Sequence
from dataclasses import dataclass

from api_gateway.application.ports import Deliveries, Selection
from api_gateway.application.tell_directory import Directory
from api_gateway.domain.refusals import invalid, missing
from common.kernel.email import InvalidEmail, looks_like_email, normalise_email
from common.kernel.phone import InvalidPhone, normalise_recipient

KINDS = ("customers", "technicians", "staff")
MOST = 5
"""Recipients that are told apart on one page."""


@dataclass(frozen=True)
class Person:
    """Where somebody is reached. `row` says which row of the directory was meant; `one_of_many`, that the notification
    went to more than these.
    """

    recipients: Sequence[str]
    row: str | None = None
    one_of_many: bool = False


@dataclass(frozen=True)
class FindPerson:
    directory: Directory
    deliveries: Deliveries

    async def __call__(self, text: str) -> Person:
        """Raises `Missing`, or `Refused` for what can be none of these."""
        if text.startswith("dlv_"):
            delivery = await self.deliveries.get(text)
            return _known([] if delivery is None else [delivery["recipient"]], "delivery", text)
        if text.startswith("ntf_"):
            found = await self.deliveries.page(Selection(notification_id=text, limit=MOST + 1))
            recipients = list(dict.fromkeys(delivery["recipient"] for delivery in found))
            return _known(recipients, "planned delivery of", text)
        try:
            return Person([normalise_email(text) if looks_like_email(text) else normalise_recipient(text)])
        except InvalidEmail as error:
            raise invalid("q", str(error)) from error
        except InvalidPhone:
            return await self._of_row(text)

    async def _of_row(self, identity: str) -> Person:
        for kind in KINDS:
            row = await self.directory.get(kind, identity)
            if row is not None:
                reached = [row[name] for name in ("phone", "email") if row.get(name)]
                if not reached:
                    raise invalid("q", f"the directory has neither a number nor an address of {identity}")
                return Person(reached, f"{kind}/{identity}")
        raise invalid(
            "q", "neither a number, a group id, an e-mail address, ntf_… or dlv_…, nor somebody's id in the directory"
        )


def _known(recipients: Sequence[str], what: str, identity: str) -> Person:
    named = [recipient for recipient in recipients if recipient]  # none is left of one whose contents were removed
    if not named:
        raise missing(what, identity)
    return Person(named[:MOST], one_of_many=len(named) > MOST)
