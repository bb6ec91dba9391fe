"""The base every event builds on: its address stands on its class, so shape and address cannot drift apart."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr


class Event(BaseModel):
    """A fact in the past tense. Readers are tolerant: unknown fields are ignored, only new fields may be added."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    routing_key: ClassVar[str]
    catalogue: ClassVar[dict[str, type["Event"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "routing_key" not in vars(cls):  # what several events share
            return
        known = Event.catalogue.setdefault(cls.routing_key, cls)
        if known.__qualname__ != cls.__qualname__:
            raise TypeError(f"{cls.__qualname__} and {known.__qualname__} share the routing key {cls.routing_key}")

    @property
    def topic(self) -> str:
        """The routing key it is published with; a class may add a qualifier of its own.

        No event may have a field of this name, or of `traceparent`: one that is left out would be taken from here.
        """
        return self.routing_key

    _traceparent: str | None = PrivateAttr(None)

    @property
    def traceparent(self) -> str | None:
        """What it belongs to, which travels in a header; by default what its publisher is at."""
        return self._traceparent

    def belonging_to(self, traceparent: str | None) -> Self:
        """The same event, of this trace."""
        self._traceparent = traceparent
        return self

    def encode(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Raises `pydantic.ValidationError` when the body is not this event."""
        return cls.model_validate_json(body)
