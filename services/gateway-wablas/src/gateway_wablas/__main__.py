"""`python -m gateway_wablas`"""

from common.runtime.process import run
from gateway_wablas.settings import WablasSettings
from gateway_wablas.wiring import wire

if __name__ == "__main__":
    run("gateway-wablas", WablasSettings, wire)
