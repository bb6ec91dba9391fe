"""Run the dispatcher: `python -m dispatcher`."""

from common.runtime.process import run
from dispatcher.settings import Settings
from dispatcher.wiring import wire


def main() -> None:
    run("dispatcher", Settings, wire)


if __name__ == "__main__":
    main()
