"""`python -m gateway_email`"""

from common.runtime.process import run
from gateway_email.settings import Settings
from gateway_email.wiring import wire

if __name__ == "__main__":
    run("gateway-email", Settings, wire)
