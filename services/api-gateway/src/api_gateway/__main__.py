"""Start the HTTP API."""

from api_gateway.settings import Settings
from api_gateway.wiring import wire
from common.runtime.process import run

if __name__ == "__main__":
    run("api-gateway", Settings, wire)
