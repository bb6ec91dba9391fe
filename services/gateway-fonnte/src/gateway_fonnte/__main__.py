"""`python -m gateway_fonnte`"""

from common.runtime.process import run
from gateway_fonnte.settings import FonnteSettings
from gateway_fonnte.wiring import wire

if __name__ == "__main__":
    run("gateway-fonnte", FonnteSettings, wire)
