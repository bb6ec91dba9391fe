"""The one exception of this package."""


class FonnteFailure(Exception):  # noqa: N818  # a refusal is an ordinary answer, not an error
    """A refusal; ``reason`` is the wire's text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
