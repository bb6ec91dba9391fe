"""The sandbox's log shows no secret that it was told."""

import subprocess
import sys

_LOGS = """
import logging
from sandbox.serving import log, write_lines
write_lines()
log.info("sandbox.listening")
logging.getLogger("httpx").info("HTTP Request: POST http://127.0.0.1/webhooks/fonnte/the-secret")
"""


def test_the_address_that_webhooks_go_to_is_not_logged() -> None:
    said = subprocess.run([sys.executable, "-c", _LOGS], check=True, capture_output=True, text=True)
    assert "sandbox.listening" in said.stdout
    assert "the-secret" not in said.stdout + said.stderr
