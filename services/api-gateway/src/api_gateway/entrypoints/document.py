"""Prints /openapi.json: `python -m api_gateway.entrypoints.document > docs/openapi.json`."""

import json
import sys

from api_gateway.entrypoints.application import described


def rendered() -> str:
    """The text of docs/openapi.json."""
    return json.dumps(described().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
