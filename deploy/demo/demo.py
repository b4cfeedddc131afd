"""`python deploy/demo/demo.py`: what `make demo` runs once the stack is up."""  # noqa: INP001 - a script beside its package

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from demo.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
