"""Whether a passage is about the drugs, the persons and the act that a question is about.

- Drugs: each one that the question names is in the passage, by itself, by its class or, where the question names a
  class, by a member of it. A title that names drugs concerns only a question that names one of them.
- What narrows (screening, pregnancy, childhood, overdose, dialysis): the passage has what the question has, and the
  question has what the title has. Sodium in an overdose is not sodium at a check-up.
- Ages: one that the question states lies within those of a population that is told by its ages.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from terminology import drug_classes, drugs
from terminology.scan import Words, scan

_CLASS = "class|"
# Texts whose drugs are remembered: more than a library has passages, twice.
_TEXTS = 4_096
_NARROWS = (
    frozenset({"screen"}),
    frozenset({"pregnan", "pregnancy", "prenatal", "gestation", "gestational"}),
    frozenset({"child", "children", "childhood", "infant", "adolescent", "paediatric", "pediatric"}),
    frozenset({"overdose", "poison"}),
    frozenset({"dialysis"}),
)
_AGE = re.compile(
    r"\b(?:(?:at|age|aged)(?: the age)?(?: of)?|(?:man|men|woman|women|smokers?|patients?|persons?|people|adults?) of)"
    r" (\d\d)\b(?! ?[%/a-z]*(?:/|%|g\b|l\b|pack|week|month))"
    r"|\b(\d\d)[- ]years?[- ]old\b"
)
_PEOPLE = r"(?:people|persons|adults|men|women|children|adolescents|postmenopausal women)"
_AGES = re.compile(
    _PEOPLE + r" (?:of (\d+) to (\d+) years|of (\d+) years (?:or|and) (?:older|more)|(?:over|older than) (\d+) years"
    r"|(?:younger than|under) (\d+) years)\b(?! or with)"
)
_OLDEST = 120


def same_drugs(question: str, title: str, body: str) -> bool:
    """Whether a passage speaks of every drug that the question names, and its title of no others alone."""
    asked, titled, held = _drugs_in(question), _drugs_in(title), _drugs_in(body)
    all_held = all(not _related(each).isdisjoint(held) for each in asked)
    return all_held and (not titled or any(not _related(each).isdisjoint(asked) for each in titled))


def titled_alike(question: str, title: str) -> bool:
    """Whether a title names a drug of the question, or a class of one."""
    asked = _drugs_in(question)
    return any(not _related(each).isdisjoint(asked) for each in _drugs_in(title))


def narrowed_alike(asked: frozenset[str], title: frozenset[str], body: frozenset[str]) -> bool:
    """Whether what narrows the question (its stems) narrows the passage, and what narrows its title the question."""
    return all(
        (asked.isdisjoint(narrow) or not body.isdisjoint(narrow))
        and (title.isdisjoint(narrow) or not asked.isdisjoint(narrow))
        for narrow in _NARROWS
    )


def of_an_age(question: str, population: str) -> bool:
    """Whether the ages that a question states are among those that a population is told by, if it is."""
    return _span(population) is None or ages_met(question, population) == _ages(question)


def ages_met(question: str, population: str) -> frozenset[str]:
    """The ages that a question states and a population has."""
    span = _span(population) or ()
    return frozenset(age for age in _ages(question) if int(age) in span)


def _ages(question: str) -> frozenset[str]:
    return frozenset(age for match in _AGE.finditer(question.casefold()) for age in match.groups() if age)


@lru_cache(_TEXTS)
def _span(population: str) -> range | None:
    match = _AGES.match(population)
    if not match:
        return None
    low, high, least, above, below = (int(each) if each else None for each in match.groups())
    first = low or least or (above + 1 if above else 0)
    last = high or (below - 1 if below else _OLDEST)
    return range(first, last + 1)


@lru_cache(_TEXTS)
def _drugs_in(text: str) -> frozenset[str]:
    """The ingredients and classes that a text names."""
    return frozenset[str]().union(*scan(text, _names(), _longest()))


@cache
def _related(key: str) -> frozenset[str]:
    """What names the same: of an ingredient its classes, of a class its members and the classes around it."""
    if ingredient := drugs.by_id(key):
        return frozenset({key, *(_CLASS + each.id for each in drug_classes.classes_of(ingredient))})
    drug_class = drug_classes.by_id(key.removeprefix(_CLASS))
    members = drug_classes.members(drug_class) if drug_class else ()
    wider = drug_classes.with_wider((drug_class.id,)) if drug_class else ()
    return frozenset({key, *(each.id for each in members), *(_CLASS + each.id for each in wider)})


@cache
def _names() -> Mapping[Words, frozenset[str]]:
    ingredients = {words: frozenset(each.id for each in made_of) for words, made_of in drugs.phrases().items()}
    classes = {words: frozenset({_CLASS + each.id}) for words, each in drug_classes.names().items()}
    return ingredients | classes


@cache
def _longest() -> int:
    return max(map(len, _names()))
