"""Envelopes nobody could handle, as people see them."""

import json
from typing import Any

from common.kernel.phone import mask_in_text

HIDDEN = "(not shown)"


def shown(body: str) -> str:
    """A body without full numbers, and without the code of a one-time password."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        return mask_in_text(body)
    if isinstance(document, dict) and document.get("type") == "otp":
        document = {name: HIDDEN if name in {"data", "message", "items"} else one for name, one in document.items()}
        body = json.dumps(document, ensure_ascii=False)
    return mask_in_text(body)
