"""How a figure is told: beside its peer's, with the ratio of both, which is what carries over to other machines."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What one contender reached; `unit` ends with `/s` where more is better."""

    name: str
    value: float
    unit: str

    def __str__(self) -> str:
        shown = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.3f}"
        return f"  {self.name:52} {shown:>9} {self.unit}"


def compare(what: str, kabar: Figure, peer: Figure) -> None:
    better = "more" if kabar.unit.endswith("/s") else "less"
    print(f"{what}\n{kabar}\n{peer}\n  {'ratio':52} {kabar.value / peer.value:>9.2f} ({better} is better)", flush=True)
