"""What a run came to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """A part of a run that is counted on its own, like a stage of dunning. `skipped` counts by reason."""

    name: str
    found: int = 0
    dispatched: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """`found` is what the run looked at, `dispatched` what it asked for (a dry run: would have), `skipped` what it left
    out, by reason. `errors` are what went wrong with parts of it; a run that comes to nothing raises instead.
    """

    found: int = 0
    dispatched: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    lines: Sequence[Line] = ()
    errors: Sequence[str] = ()

    @classmethod
    def of(cls, lines: Sequence[Line], errors: Sequence[str] = ()) -> "Tally":
        """The sum of its lines."""
        skipped: Counter[str] = Counter()
        for line in lines:
            skipped.update(line.skipped)
        return cls(
            found=sum(line.found for line in lines),
            dispatched=sum(line.dispatched for line in lines),
            skipped=dict(skipped),
            lines=tuple(lines),
            errors=tuple(errors),
        )
