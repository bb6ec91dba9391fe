"""All tests: three at a time on two cores, for most of them wait most of the time; then one after the other what has a
whole Kabar to itself or whose time is the point.

    python -m tests [arguments of pytest]

Fails when either part does, or when there was no test in both.
"""

import subprocess
import sys

import pytest

SLOWEST = "--durations=20"
TOGETHER = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not alone", SLOWEST)
ALONE = ("-m", "alone", SLOWEST)


def main() -> int:
    codes = set()
    for how in (TOGETHER, ALONE):
        codes.add(subprocess.run([sys.executable, "-m", "pytest", *how, *sys.argv[1:]], check=False).returncode)
        if codes - {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
            break
    return max(codes - {pytest.ExitCode.NO_TESTS_COLLECTED}, default=int(pytest.ExitCode.NO_TESTS_COLLECTED))


if __name__ == "__main__":
    sys.exit(main())
