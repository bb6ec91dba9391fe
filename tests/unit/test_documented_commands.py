"""What operators and portal developers are told to type does what is said of it."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api_gateway.domain.webhook_signatures import new_secret, signed_headers
from tests.support.catalogue import ROOT


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)


def test_the_signing_secret_is_replaced_line_by_line(tmp_path: Path) -> None:
    [written] = blocks("operations/secrets.md", "sh")
    steps = re.split(r"^# once .*$", written, flags=re.MULTILINE)
    assert len(steps) == 3
    file = tmp_path / "secrets" / "api-gateway" / "KABAR_JWT_SECRET"
    file.parent.mkdir(parents=True)
    file.write_text("the old secret of this test\n")
    look = f"\necho; cat {file}; echo --\n"
    said = subprocess.run(
        ["bash", "-euc", look.join([*steps, ""])], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    added, first, alone = [part.split() for part in said.replace("the old secret of this test", "old").split("--")[:3]]
    assert added[0] == "old"
    assert len(added[1]) >= 32
    assert (first, alone) == ([added[1], "old"], [added[1]])
    assert [one.name for one in file.parent.iterdir()] == ["KABAR_JWT_SECRET"]


def test_a_portal_tells_our_calls_from_others() -> None:
    [written] = blocks("api.md", "python")
    names: dict[str, Any] = {}
    exec(written, names)  # noqa: S102 - our own page
    is_from_kabar: Callable[..., bool] = names["is_from_kabar"]
    old, new, now = new_secret(), new_secret(), int(time.time())
    headers = signed_headers([new, old], identity="msg-1", timestamp=now, body=b"{}")
    assert is_from_kabar(new, headers, b"{}")
    assert is_from_kabar(old, headers, b"{}")
    assert not is_from_kabar(old, headers, b"{ }")
    assert not is_from_kabar(new_secret(), headers, b"{}")
    assert not is_from_kabar(old, signed_headers([old], identity="msg-1", timestamp=now - 600, body=b"{}"), b"{}")
