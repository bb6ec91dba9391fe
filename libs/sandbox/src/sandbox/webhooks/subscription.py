"""Where a provider's webhooks go and in what disorder."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Subscription(BaseModel):
    """A webhook address and the manners of whoever calls it.

    ``events`` are the words that follow a sent message, in order; ``outcomes`` replaces them for single recipients (for
    instance ``{"6281200000001": ["invalid"]}``), ``notes`` adds Wablas' ``note`` to a word. ``extra_fields`` go
    into every body, such as a right or a wrong secret. Disorder: ``late_seconds`` and the retries run on the
    simulation's clock, ``copies`` repeats each event, ``reverse`` turns their order round, a ``lost_share`` drawn with
    ``seed`` never arrives, ``before_answer`` delivers before the send call is answered. Fonnte only: ``numbering``
    ``id_only`` names every event by id, otherwise delivered and read carry nothing but ``stateid``.
    Fonnte tries again ``retries`` times, one every ``retry_seconds``, until it gets HTTP 200
    (docs.fonnte.com/webhook-update-message-status; until January 2026 three times at once); Wablas never (assumed).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(pattern=r"^https?://")]
    encoding: Literal["json", "form"] = "json"
    events: tuple[str, ...] = ("sent", "delivered", "read")
    outcomes: dict[str, tuple[str, ...]] = {}
    notes: dict[str, str] = {}
    extra_fields: dict[str, str] = {}
    numbering: Literal["stateid", "id_only"] = "stateid"
    late_seconds: Annotated[float, Field(ge=0)] = 0.0
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    reverse: bool = False
    lost_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: int = 0
    before_answer: bool = False
    retries: Annotated[int, Field(ge=0, le=100)] = 15
    retry_seconds: Annotated[float, Field(ge=0)] = 60.0
