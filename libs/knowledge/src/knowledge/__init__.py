"""Medical knowledge as data: rows in families, each with its source, its validity and patients that test it.

Pure: no network, no clock, no database. The rows are read from `data/` once; a hospital's overlay adds, silences and
replaces rows. What a row says is a typed statement of `grounding`, which passes the same gate as every other.
"""

from knowledge.evaluation import Asked, evaluate
from knowledge.finding import Finding
from knowledge.library import Knowledge, shipped
from knowledge.reading import RowError
from knowledge.row import Row

__all__ = ["Asked", "Finding", "Knowledge", "Row", "RowError", "evaluate", "shipped"]
