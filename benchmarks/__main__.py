"""Every benchmark, one after the other, each on servers of its own.

python -m benchmarks [--only planning,webhooks] [arguments of end_to_end]
"""

import argparse
import subprocess
import sys

ALL = ("end_to_end", "planning", "importing", "accepting", "webhooks", "tracing")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", default=",".join(ALL), help="some of them, with commas between")
    chosen, rest = arguments.parse_known_args()
    names = chosen.only.split(",")
    if unknown := set(names) - set(ALL):
        arguments.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    if rest and "end_to_end" not in names:
        arguments.error(f"only end_to_end takes {' '.join(rest)}")
    codes = []
    for name in names:
        own = rest if name == "end_to_end" else []
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *own], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
