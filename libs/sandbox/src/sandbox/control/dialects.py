"""``/control/variants``, ``/control/pace``, ``/control/clock``, ``/control/recipient-faults``: how providers are."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.control.answering import (
    ControlEndpoint,
    OrjsonResponse,
    RefusedError,
    explain,
    provider_in_path,
    read_body,
    read_object,
)
from sandbox.fonnte.dialect import FonnteVariants
from sandbox.ledger import ProviderName
from sandbox.transit import Pace
from sandbox.wablas.dialect import WablasVariants

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class Variants(ControlEndpoint):
    """The dialect variants of one provider; a patch names only what changes."""

    async def get(self, request: "Request") -> "Response":
        provider = self.world(request).provider(provider_in_path(request))
        return OrjsonResponse(provider.variants.model_dump(mode="json"))

    async def patch(self, request: "Request") -> "Response":
        world, name = self.world(request), provider_in_path(request)
        changes = await read_object(request)
        try:
            if name is ProviderName.FONNTE:
                current = world.fonnte.variants.model_dump()
                world.fonnte.variants = FonnteVariants.model_validate({**current, **changes})
            else:
                current = world.wablas.variants.model_dump()
                world.wablas.variants = WablasVariants.model_validate({**current, **changes})
        except ValidationError as error:
            raise RefusedError(*explain(error)) from error
        return OrjsonResponse(world.provider(name).variants.model_dump(mode="json"))


class PaceChange(BaseModel):
    """``batch`` messages every ``seconds`` of the simulation's clock; 0 seconds sends at once."""

    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0)]
    batch: Annotated[int, Field(ge=1)] = 1


class Paces(ControlEndpoint):
    """How fast one provider's devices send what they accepted."""

    async def get(self, request: "Request") -> "Response":
        pace = self.world(request).provider(provider_in_path(request)).transit.pace
        return OrjsonResponse({"seconds": pace.seconds, "batch": pace.batch})

    async def put(self, request: "Request") -> "Response":
        change = await read_body(request, PaceChange)
        self.world(request).provider(provider_in_path(request)).transit.pace = Pace(change.seconds, change.batch)
        return OrjsonResponse(change.model_dump())


class ClockChange(BaseModel):
    """A new speed (1 is real time), a jump ahead, or both."""

    model_config = ConfigDict(extra="forbid")

    speed: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    advance_seconds: Annotated[float, Field(ge=0)] | None = None


class Clocks(ControlEndpoint):
    """The clock of gaps, schedules, expiry and webhook retries."""

    async def get(self, request: "Request") -> "Response":
        clock = self.world(request).clock
        return OrjsonResponse({"speed": clock.speed, "now": clock.now()})

    async def patch(self, request: "Request") -> "Response":
        change = await read_body(request, ClockChange)
        clock = self.world(request).clock
        if change.speed is not None:
            clock.run_at(change.speed)
        if change.advance_seconds is not None:
            clock.advance(change.advance_seconds)
        return await self.get(request)


class RecipientFaultsChange(BaseModel):
    """Whether the table of example numbers that always fail is in force."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class RecipientFaults(ControlEndpoint):
    """The table of example numbers that always fail."""

    async def get(self, request: "Request") -> "Response":
        faults = self.world(request).faults
        table = {
            provider.value: {
                number: fault.model_dump(mode="json", exclude_defaults=True, exclude={"provider"})
                for number, fault in by_number.items()
            }
            for provider, by_number in faults.by_recipient.items()
        }
        return OrjsonResponse({"enabled": faults.recipient_faults, **table})

    async def put(self, request: "Request") -> "Response":
        change = await read_body(request, RecipientFaultsChange)
        self.world(request).faults.recipient_faults = change.enabled
        return OrjsonResponse(change.model_dump())
