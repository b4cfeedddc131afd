"""Areas of medicine: the problems, results, drugs and procedures that physicians look at together.

Rows of `data/areas.tsv`. An area is no diagnosis and no advice: it says what belongs beside what when one of it is asked for.
"""

from dataclasses import dataclass
from functools import cache

from terminology import tables

COLUMNS = ("area", "words", "problems", "results", "classes", "drugs", "procedures", "source")


@dataclass(frozen=True, slots=True)
class Area:
    """`problems` are family ids or words of names; `results` LOINC codes, the most telling first; `classes` ids of drug
    classes; `drugs` names of ingredients; `procedures` words of names.
    """

    id: str
    words: tuple[str, ...]
    problems: tuple[str, ...]
    results: tuple[str, ...]
    classes: tuple[str, ...]
    drugs: tuple[str, ...]
    procedures: tuple[str, ...]


@cache
def known() -> dict[str, Area]:
    """All areas by their id."""
    rows = tables.read("areas", COLUMNS)
    tables.index(rows, "area")
    return {row["area"]: Area(row["area"], *(row.several(column) for column in COLUMNS[1:-1])) for row in rows}
