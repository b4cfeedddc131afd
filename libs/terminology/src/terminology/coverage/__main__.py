"""`python -m terminology.coverage FOLDER [--json] [--most N]`: exits 0 only if the share asked for is reached."""

import argparse
import json
import sys
from pathlib import Path

from terminology.coverage import corpus
from terminology.coverage.known import is_known
from terminology.coverage.report import count, table


def main(arguments: list[str]) -> int:
    """Count one folder and print it."""
    parser = argparse.ArgumentParser(prog="python -m terminology.coverage", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--most", type=int, default=20, help="how many unknown codings to list")
    parser.add_argument("--at-least", type=float, default=0.0, help="the share that must be known")
    options = parser.parse_args(arguments)
    report = count((occurrence for _, occurrence in corpus.occurrences(options.folder)), is_known)
    text = json.dumps(report.as_json(options.most), indent=1) if options.json else table(report, options.most)
    sys.stdout.write(text + "\n")
    return 0 if report.share >= options.at_least else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
