"""`python -m scheduler`"""

from common.runtime.process import run
from scheduler.settings import SchedulerSettings
from scheduler.wiring import wire

if __name__ == "__main__":
    run("scheduler", SchedulerSettings, wire)
