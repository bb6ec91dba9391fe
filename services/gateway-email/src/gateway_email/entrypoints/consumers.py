"""What a mail server is asked besides taking mails."""

from common.contracts.events import EnquiriesRequested
from common.messaging.broker import Envelope


async def on_enquiries_requested(_: Envelope[EnquiriesRequested]) -> None:
    """Nothing: SMTP has no words for what became of a mail, and no groups."""
