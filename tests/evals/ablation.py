"""What an answer loses without each part of what chooses and says it: `make eval EVAL=answers WITHOUT=parts`.

Each part is a function of `consult` that brings nothing, or leaves things as they came, while the question is answered;
a form is a row of `forms.tsv` that is not read. A part without which no figure on any set of questions falls earns no
place.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest import mock

from consult import Record, front
from consult.answering import (
    Form,
    answer,
    changes,
    composing,
    finding,
    inquire,
    inquiry,
    not_since,
    reconciliation,
    screening,
    suitability,
    windows,
    wording,
)
from consult.drafting import draft_rules
from consult.front import put_in_front
from consult.gate import gate
from consult.merging import merge
from consult.rules import speak
from grounding import Verifier
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement

Taken = tuple[Any, str, Any]


def _nothing(*_: object, **__: object) -> tuple[()]:
    return ()


def _never(*_: object, **__: object) -> bool:
    return False


def _zero(*_: object, **__: object) -> float:
    return 0.0


def _two_nothings(*_: object, **__: object) -> tuple[list[object], list[object]]:
    return [], []


def _as_it_is(question: str) -> str:
    return question


def _ends(numbers: Any, *_: object) -> Any:
    return [numbers[0], numbers[-1]]


def _by_worth(groups: Any) -> Any:
    return [group for group in groups if group.worth > 0]


# Each part by name: where it is looked up, its name there, and what stands in its place.
PARTS: dict[str, Taken] = {
    "plain words": (inquiry, "in_plain_words", _as_it_is),
    "areas, by word": (inquiry, "_areas_by_word", _nothing),
    "areas, by name": (inquiry, "_areas_by_key", _nothing),
    "names of vaccines": (inquiry, "_vaccines", _nothing),
    "screenings by name": (inquiry, "_screening_patterns", _nothing),
    "finding by words": (finding, "_by_words", _zero),
    "finding by area": (finding, "of_area", _zero),
    "kinds that fit a form": (finding, "_fit", _zero),
    "courses apart by unit": (finding, "_series", lambda entries: [entries]),
    "kinds in turn, and none far behind": (composing, "_chosen", _by_worth),
    "windows of time": (windows, "of", _nothing),
    "values around a drug's start": (composing, "_days_of_drugs", _nothing),
    "turning points": (wording, "turning_points", _ends),
    "how often it was done": (wording, "_counted", _nothing),
    "what is missing": (composing, "_absent", _nothing),
    "missing by any name": (composing, "_is_there", lambda mention, group: not mention.keys.isdisjoint(group.keys)),
    "no drug of an area": (composing, "_untreated", _nothing),
    "what a drug may be meant for": (suitability, "_given_for", _nothing),
    "beside allergies": (composing, "_beside_allergies", _nothing),
    "pressures as pairs": (wording, "_pressures", _nothing),
    "values never taken again": (not_since, "only_once", _nothing),
    "not since": (not_since, "around", _nothing),
    "history beside the thing": (composing, "_is_history", _never),
    "allergies beside a drug": (suitability, "allergies", _two_nothings),
    "suitability rows": (suitability, "around", _nothing),
    "reconciliation": (reconciliation, "reconcile", _nothing),
    "changes": (changes, "since", _nothing),
    "trifles last": (finding, "_SLIGHT", mock.Mock(search=_never)),
    "screening": (screening, "around", _nothing),
    "alerts in front": (front, "_is_alert", _never),
    "a passage beside": (front, "_is_evidence", _never),
    "bundles": (front._Bundle, "takes", _never),
}
FORM = "form "
NAMES = (*PARTS, *(f"{FORM}{form}" for form in Form))


class Asked:
    """A question with what no part has a say in: the sources, what the rules say, and the gate."""

    def __init__(self, question: str, record: Record) -> None:
        self._question, self._sources = question, record.sources()
        self._verifier = Verifier(self._sources)
        spoken = speak(self._sources, question, record.concerning, record.signed_at)
        self._rules = draft_rules(spoken, self._sources)
        self._forms = inquire(question, self._sources).forms

    def without(self, name: str) -> list[AssessedStatement] | None:
        """The answer as `consult.prepare` makes it; None where the part is a form that the question does not ask."""
        form = name.removeprefix(FORM) if name.startswith(FORM) else ""
        if form and form not in self._forms:
            return None
        read = partial(_but, inquiry._forms, form)
        with mock.patch.object(*((inquiry, "_forms", read) if form else PARTS[name])):
            return self.answer()

    def answer(self) -> list[AssessedStatement]:
        found = answer(inquire(self._question, self._sources), self._sources)
        return gate(merge(put_in_front(found, self._rules, self._sources, self._verifier)), self._verifier, "eval")


def _but(read: Callable[[str], Iterator[Form]], form: str, plain: str) -> Iterator[Form]:
    return (each for each in read(plain) if each != form)
