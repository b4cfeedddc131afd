"""Procedures, therapies and plans of care: what a code says, and the words that physicians use for it.

Guarantee: a plan is told as a plan and never as done. Codes of CPT are unknown here: their descriptors are licensed.
"""

from dataclasses import dataclass
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import coding_systems, tables
from terminology.naming import Lexicon, Name

COLUMNS = ("system", "code", "display", "kind", "names", "source")

_DONE = frozenset({"procedure", "therapy"})
_PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Procedure:
    """What a code says was done or is planned. `kind` is SNOMED CT's tag: procedure, therapy, plan, finding ..."""

    system: str
    code: str
    display: str
    kind: str
    names: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        """Whether it is something that is done: no plan, object or finding."""
        return self.kind in _DONE


def of(concept: CodedConcept) -> Procedure | None:
    """The procedure that a concept is; None when it is not known."""
    return _rows().get((concept.system, concept.code))


def known() -> tuple[Procedure, ...]:
    """Every procedure and therapy that can have been done: no plans, no findings."""
    return tuple(each for each in _rows().values() if each.is_done)


def plans() -> tuple[Procedure, ...]:
    """Every plan of care and of management."""
    return tuple(each for each in _rows().values() if each.kind == _PLAN)


def named(text: str) -> tuple[Procedure, ...]:
    """The procedures that a text names, in their order."""
    codes = (key for mention in _lexicon().mentions(text) for key in mention.keys)
    return tuple(_by_code()[code] for code in dict.fromkeys(codes))


def death_certification() -> CodedConcept:
    """The certification of a death (HL7 Vital Records Death Reporting guide)."""
    (known,) = named("death certification")
    return CodedConcept(system=known.system, code=known.code, display=known.display)


def short_name(concept: CodedConcept) -> str:
    """What a reader calls it: the words of a known procedure, else those that were sent, else the code."""
    procedure = of(concept)
    return (procedure.display if procedure else "") or concept.display or concept.code


@cache
def _rows() -> dict[tuple[str, str], Procedure]:
    rows = tables.index(tables.read("procedures", COLUMNS), "system", "code").values()
    procedures = (
        Procedure(coding_systems.uri(row["system"]), row["code"], row["display"], row["kind"], row.several("names"))
        for row in rows
    )
    return {(procedure.system, procedure.code): procedure for procedure in procedures}


@cache
def _by_code() -> dict[str, Procedure]:
    return {procedure.code: procedure for procedure in _rows().values()}


@cache
def _lexicon() -> Lexicon:
    """Names and displays; one of a single word (therapy, incision) is too wide unless it is also a name."""
    texts = ((p.code, (p.display, *p.names) if " " in p.display else p.names) for p in _rows().values())
    return Lexicon(Name(text, code) for code, names in texts for text in names)
