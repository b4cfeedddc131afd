"""What a statement is called within its list: its own number, else the codes and words that were sent."""

from ingestion.domain.coding import CodedElement
from ingestion.domain.facts.scope import Scope
from ingestion.domain.hl7 import Segment


def instance_of(segment: Segment, field: int) -> str:
    """An entity identifier (EI) with its namespace or universal id, in which alone it is unique; empty for none."""
    number, space = segment.get(field), segment.get(field, 2) or segment.get(field, 3)
    return f"instance:{number}{'@' + space if space else ''}" if number else ""


def names_of(element: CodedElement, scope: Scope) -> list[str]:
    """Every code and every text of an element: they are aliases."""
    codes = [scope.coding(coding) for coding in element.codings if coding.code]
    texts = [" ".join(text.upper().split()) for text in element.texts]
    return list(dict.fromkeys([*(f"{code.system}|{code.code}" for code in codes), *(f"text|{text}" for text in texts)]))
