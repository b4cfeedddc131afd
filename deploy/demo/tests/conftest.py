"""Makes the package `demo` importable when it is not installed, and an outcome in which all is well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
