"""``python -m sandbox``."""

import os
import sys

from sandbox.serving import serve
from sandbox.settings import Settings


def main() -> None:
    try:
        settings = Settings.from_environment(os.environ)
    except ValueError as error:
        sys.exit(f"sandbox: {error}")
    serve(settings)


if __name__ == "__main__":
    main()
