"""The document portals build on is what the application says of itself."""

from pathlib import Path

from api_gateway.entrypoints.document import rendered

ROOT = Path(__file__).parents[2]


def test_the_file_is_what_the_application_says() -> None:
    written = (ROOT / "docs" / "openapi.json").read_text()
    command = "python -m api_gateway.entrypoints.document > docs/openapi.json"
    assert written == rendered(), f"run: uv run {command}"
