"""A fault as the control API takes it."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.ledger import ProviderName
from sandbox.wire.exchange import HTML, JSON, Answer


class FaultKind(StrEnum):
    """The ways to misbehave.

    ``refuse`` answers a failure in the provider's dialect; ``late`` answers properly after ``delay_seconds``; ``hang``
    never answers; ``reset`` resets the connection (RST); ``drop`` closes it (FIN) without an answer; ``cut_off`` closes
    it in the middle of the answer; ``truncate`` answers complete HTTP with half of the JSON; ``respond`` answers any
    status with a page or body of your choice.
    """

    REFUSE = "refuse"
    LATE = "late"
    HANG = "hang"
    RESET = "reset"
    DROP = "drop"
    CUT_OFF = "cut_off"
    TRUNCATE = "truncate"
    RESPOND = "respond"


class Page(StrEnum):
    """Ready-made bodies of ``respond``."""

    HTML = "html"
    EMPTY = "empty"
    JSON = "json"


ACCEPTED_UNLESS_SAID = {
    FaultKind.REFUSE: False,
    FaultKind.LATE: True,
    FaultKind.HANG: False,
    FaultKind.RESET: False,
    FaultKind.DROP: True,
    FaultKind.CUT_OFF: True,
    FaultKind.TRUNCATE: True,
    FaultKind.RESPOND: False,
}


class Fault(BaseModel):
    """What to do wrong, to whom, and how often.

    Whom: a provider's ``endpoint`` (``send`` for every sending one, ``any``, or a path such as ``device``), narrowed by
    ``device`` (its name), ``token`` and ``recipient``. How often: after letting ``skip`` matching calls pass, the next
    ``times`` (none: until removed), of these a ``share`` drawn with ``seed``. ``accepted`` says whether the provider
    takes the message before misbehaving; for ``late`` false means that it takes it only after the delay.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    provider: ProviderName
    endpoint: str = "send"
    device: str | None = None
    token: str | None = None
    recipient: str | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0
    accepted: bool | None = None
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    reason: str | None = None
    http_status: Annotated[int, Field(ge=200, le=599)] | None = None
    page: Page = Page.HTML
    body: str | None = None
    content_type: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Fault":
        if self.kind is FaultKind.REFUSE and self.reason is None:
            raise ValueError("refuse needs a reason, see GET /control/reasons")
        if self.kind is FaultKind.LATE and not self.delay_seconds:
            raise ValueError("late needs delay_seconds")
        if self.kind is FaultKind.REFUSE and self.accepted:
            raise ValueError("a refused message cannot be accepted")
        return self

    @property
    def accepts(self) -> bool:
        """Whether the message is taken although the client may never learn it."""
        return ACCEPTED_UNLESS_SAID[self.kind] if self.accepted is None else self.accepted

    def response(self) -> Answer:
        """The answer of ``respond``."""
        status = self.http_status or 200
        content_type = self.content_type.encode() if self.content_type else None
        if self.body is not None:
            return Answer(status, self.body.encode(), content_type or JSON)
        match self.page:
            case Page.HTML:
                title = f"{status} {TITLES.get(status, 'Page')}"
                page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
                return Answer(status, page.encode(), content_type or HTML)
            case Page.EMPTY:
                return Answer(status, b"", content_type or HTML)
            case Page.JSON:
                # The shape of a crashed web framework, which is not a provider's refusal.
                return Answer(status, b'{"message":"Server Error"}', content_type or JSON)


TITLES = {
    404: "Not Found",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}
