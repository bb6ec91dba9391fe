"""All tests: three at a time on two cores, for most of them wait most of the time; then two at a time what drives a
whole Kabar; then one after the other what breaks one, or whose time is the point.

    python -m tests [arguments of pytest]

Fails when any part does, or when there was no test in all.
"""

import subprocess
import sys

import pytest

SLOWEST = "--durations=20"
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder", SLOWEST)
TOGETHER = ("-n", "3", "-m", "not paired and not alone", *BY_FILE)
PAIRED = ("-n", "2", "-m", "paired", *BY_FILE)
ALONE = ("-m", "alone", SLOWEST)


def main() -> int:
    codes = set()
    for how in (TOGETHER, PAIRED, ALONE):
        codes.add(subprocess.run([sys.executable, "-m", "pytest", *how, *sys.argv[1:]], check=False).returncode)
        if codes - {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
            break
    return max(codes - {pytest.ExitCode.NO_TESTS_COLLECTED}, default=int(pytest.ExitCode.NO_TESTS_COLLECTED))


if __name__ == "__main__":
    sys.exit(main())
