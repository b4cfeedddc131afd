"""A question as a typed value: what it is about, what it asks of that, which drug it considers, and of which time.

Names come from terminology and from the patient's record (`grounding.reading`), areas of medicine from
`terminology.areas`, forms from `data/forms.tsv`. Guarantee: what was not understood is listed, word by word.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from grounding import Sources, facts, keys
from grounding.comparing.record import Record
from grounding.reading import names
from grounding.reading.nodes import Node
from grounding.reading.tokens import Known, tokens
from longitude.record.v1 import fact_pb2 as pb
from terminology import areas, drug_classes, drugs, families, observables, screenings, tables, vaccines
from terminology.areas import Area
from terminology.screenings import Screening

from consult.answering import misspelt, spoken_times
from consult.context.relevance import terms

_WORD = re.compile(r"[a-z0-9]+")
# Words of a question that name nothing, and how short or numeric ones say nothing by themselves.
_EMPTY = terms(
    "blood body status value level list tablet history result reading number date visit note file record mg mcg day "
    "days week weeks month months year years today past next last three two four risk hx ever rate function"
)
_SHORT = 3
# Letters by which the name of what a vaccine protects from is known: pneumococcal, pneumococci, pneumonia.
_BEGINNING = 6


# Occasions on which something is done that harms, so that allergies are told.
_TO_BE_DONE = ("before-operation", "dental-operation", "spinal-puncture")


class Form(StrEnum):
    """What is asked of a thing; the rows of `data/forms.tsv`."""

    SUITABILITY = "suitability"
    ALLERGY = "allergy"
    IMMUNISATION = "immunisation"
    COUNT = "count"
    WHEN = "when"
    LAST = "last"
    FIRST = "first"
    COURSE = "course"
    EFFECT = "effect"
    TREATMENT = "treatment"
    CHANGE = "change"
    SUMMARY = "summary"
    SEVERITY = "severity"
    ABSENCE = "absence"
    BEFORE = "before"
    SINCE = "since"
    STAY = "stay"
    DURING = "during"
    ALL_DRUGS = "all-drugs"
    ALL_PROBLEMS = "all-problems"
    SCREENING = "screening"
    OPERATIONS = "operations"
    DOCUMENT = "document"
    STATED = "stated"
    VISIT = "visit"
    EMERGENCY = "emergency"
    REASON = "reason"
    STATE = "state"
    DOSE = "dose"
    DONE = "done"
    HIGHEST = "highest"
    LOWEST = "lowest"
    MONITORING = "monitoring"
    MEETING = "meeting"
    HAPPENED = "happened"
    VALUES = "values"
    ANYTHING = "anything"
    WORKUP = "workup"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Mention:
    """A thing that the question names. `keys`: as `grounding.reading.names.keys_of` gives them for facts."""

    text: str
    kinds: frozenset[str]
    keys: frozenset[str]

    @property
    def is_drug(self) -> bool:
        """Whether it is a drug or a class of drugs."""
        return not self.kinds.isdisjoint((names.DRUG, names.CLASS))


@dataclass(frozen=True, slots=True)
class Inquiry:
    """`mentions` and `areas` in the order of the question; `days`: spans of time that it names. `stems`: of the words
    beside the names; `words`: of all that say something; `screenings`: those that it names. `origin` and `topic`: the
    stems before and behind its `about`. `newest`: how many of the last values it asks for. `parts`: the questions that
    it holds, where it holds several.
    """

    mentions: tuple[Mention, ...]
    areas: tuple[Area, ...]
    forms: frozenset[Form]
    days: tuple[tuple[date, date], ...]
    stems: frozenset[str]
    words: frozenset[str]
    screenings: tuple[Screening, ...] = ()
    origin: frozenset[str] = frozenset()
    topic: frozenset[str] = frozenset()
    newest: int = 0
    parts: tuple["Inquiry", ...] = ()

    @property
    def drugs(self) -> tuple[Mention, ...]:
        return tuple(each for each in self.mentions if each.is_drug)

    @property
    def about_something(self) -> bool:
        """Whether it names a thing or an area."""
        return bool(self.mentions or self.areas)

    @property
    def is_before_doing(self) -> bool:
        """Whether something is to be done to the patient."""
        return any(each.id in _TO_BE_DONE for each in self.areas)

    def asks(self, *forms: Form) -> bool:
        return not self.forms.isdisjoint(forms)


# Where another question may begin.
_ENDS = re.compile(
    r"(?<=[?!;])\s+|(?<=[a-z0-9)]\.)\s+|"
    r"(?:\s*[,;]\s*(?:and\s+)?|\s+and\s+|\s+-\s+)(?=(?:what|when|which|why|how|since when|is|are|was|were|does|did|"
    r"do|has|have|any|can|may|should|shall|could)\b)",
    re.IGNORECASE,
)
# That a clause speaks of what was named before it.
_BACK = re.compile(r"\b(?:it|its|that|this|them|they|these|those|one|ones|there)\b", re.IGNORECASE)
# What is asked without a thing.
_OF_EVERYTHING = frozenset(
    (
        Form.ALLERGY, Form.IMMUNISATION, Form.ALL_DRUGS, Form.ALL_PROBLEMS, Form.OPERATIONS, Form.VISIT, Form.STAY,
        Form.EMERGENCY, Form.MONITORING, Form.MEETING,
    )
)  # fmt: skip


def inquire(question: str, sources: Sources) -> Inquiry:
    """Reads a question about this patient's record."""
    known = Record(sources, sources.current).known
    ordered = [facts.name_of(each) for each in sources.of_kind(pb.FACT_KIND_MEDICATION)]
    plain = in_plain_words(_without_request(question))
    question = misspelt.mended(plain, _names_in(sources), ordered, sources.today)
    whole = _inquire(question, known, sources)
    parts = _parts([(each, _inquire(each, known, sources)) for each in _ENDS.split(question) if each.strip()])
    if len(parts) < 2:
        return whole
    return replace(whole, parts=tuple(_inquire(each, known, sources) for each in parts))


def _parts(clauses: Sequence[tuple[str, Inquiry]]) -> list[str]:
    """The clauses that ask for something by themselves, each with those that only belong to it: what is told before it,
    and what speaks of its things.
    """
    parts: list[str] = []
    open_ = False
    for text, inquiry in clauses:
        asks = inquiry.about_something or not inquiry.forms.isdisjoint(_OF_EVERYTHING)
        if parts and (open_ or not asks or _BACK.search(text)):
            parts[-1] = f"{parts[-1]} {text}"
        else:
            parts.append(text)
            open_ = True
        open_ = open_ and not (asks and (inquiry.forms or text.rstrip().endswith("?")))
    return parts


def _inquire(question: str, known: Known, sources: Sources) -> Inquiry:
    read = tokens(question, sources.today, known)
    plain = " ".join(_WORD.findall(question.casefold()))
    forms = frozenset(_forms(plain))
    forms |= {Form.IMMUNISATION} if any(_is_vaccine(each, forms) for each in read) else set()
    mentions = tuple(_vaccines(plain)) if Form.IMMUNISATION in forms else ()
    mentions = mentions or tuple(_levels(_mentions(read, given=Form.SUITABILITY in forms), plain))
    days = tuple(spoken_times.spans(plain, min(sources.last_seen, sources.today)))
    days += tuple(each.value.readings[0] for each in read if "date" in each.kinds)
    asked = tuple(dict.fromkeys(_areas_by_word(plain))) or tuple(dict.fromkeys(_areas_by_key(mentions)))
    if days and Form.SINCE in forms and not (mentions or asked):
        forms |= {Form.CHANGE}
    if _considers(mentions, forms, plain, sources):
        forms |= {Form.SUITABILITY}
    left = frozenset(each for each in terms(question) if len(each) >= _SHORT and not each.isdigit())
    left -= _form_stems() | _EMPTY
    named = frozenset(stem for each in mentions for stem in terms(each.text))
    looked_for = tuple(each for each, pattern in _screening_patterns() if pattern.search(plain))
    before, _, behind = plain.partition(" about ")
    topic = terms(behind) & left
    own = left - named
    return Inquiry(mentions, asked, forms, days, own, left, looked_for, terms(before), topic, _newest(plain))


# `the last three values`.
_LAST_SO_MANY = re.compile(r"\b(?:last|past|recent) (two|three|four|five|six|[2-6])\b(?! (?:years|months|weeks|days))")
_SO_MANY = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def _newest(plain: str) -> int:
    match = _LAST_SO_MANY.search(plain)
    return (_SO_MANY.get(match.group(1)) or int(match.group(1))) if match else 0


# What is asked of a drug that was ordered, or is said to have been.
_OF_ORDERS = frozenset(
    (Form.STATE, Form.WHEN, Form.FIRST, Form.COUNT, Form.REASON, Form.ABSENCE, Form.BEFORE, Form.HAPPENED)
)


def _considers(mentions: tuple[Mention, ...], forms: frozenset[Form], plain: str, sources: Sources) -> bool:
    """Whether a drug may be given is meant where nothing else is asked of it, or the record has no order of it."""
    drugs = [each for each in mentions if names.DRUG in each.kinds]
    # `BP on the ramipril`: that it is taken is taken for granted.
    if not drugs or any(_is_supposed(each, mentions, plain) for each in drugs):
        return False
    if Form.ALLERGY in forms or not forms - {Form.TREATMENT, Form.LAST, Form.DOSE}:
        return True
    ordered = frozenset().union(*(facts.keys(each) for each in sources.of_kind(pb.FACT_KIND_MEDICATION)))
    return forms.isdisjoint(_OF_ORDERS) and all(ordered.isdisjoint(each.keys) for each in drugs)


def _is_supposed(drug: Mention, mentions: tuple[Mention, ...], plain: str) -> bool:
    """Whether the question takes for granted that it is taken, or asks whether it is."""
    name = re.escape(" ".join(_WORD.findall(drug.text.casefold())))
    if re.search(rf"\b(?:(?:on|since|before|after|from|with) (?:the|his|her)|any) {name}\b|\b{name} at home\b", plain):
        return True
    measured = any(not each.kinds.isdisjoint((names.OBSERVABLE, names.PANEL, names.PRESSURE)) for each in mentions)
    return measured and re.search(rf"(?<!him )(?<!her )(?<!them )\bon {name}\b", plain) is not None


def _names_in(sources: Sources) -> Iterator[str]:
    return (name for each in sources.current for name in facts.names(each)[:1])


def in_plain_words(question: str) -> str:
    """With names as terminology has them (`data/plain.tsv`) in place of abbreviations and laymen's words."""
    pattern, names_ = _plain_words()
    return pattern.sub(lambda match: names_[" ".join(_WORD.findall(match.group().casefold()))], question)


@cache
def _plain_words() -> tuple[re.Pattern[str], dict[str, str]]:
    rows = tables.read("plain", ("name", "said"), files("consult.answering") / "data")
    said = {" ".join(_WORD.findall(each)): row["name"] for row in rows for each in row.several("said")}
    phrases = (each.replace(" ", r"[ \-]") for each in sorted(said, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(phrases)})(?![\w-])", re.IGNORECASE), said


# Who asks for an answer, and what is to be made of it.
_REQUEST = re.compile(
    r"(?:^|(?<=[.!?;] ))(?:the |his |her |our |my |an? )?(?!(?:he|she|i|we|they|you|patient)\b)(?:[\w-]+ ){1,3}?"
    r"(?:asks?|wants?|requests?|needs?|would like|is asking|are asking)(?: for| to know| to have)?\b|"
    r"\b(?:please )?write (?:it|this|one)(?: up| down)?(?: for me)?\b",
    re.IGNORECASE,
)


def _without_request(question: str) -> str:
    """`a short account of what was done` of `Cardiac rehab asks for a short account of what was done`."""
    return _REQUEST.sub("", question)


# That the concentration of a drug is meant, and not the drug.
_MEASURED = re.compile(r"\b(?:levels?|concentrations?|checked|measured|troughs?)\b")


def _levels(mentions: Iterator[Mention], plain: str) -> Iterator[Mention]:
    """With the concentration of a drug behind the drug where that is asked for."""
    for mention in mentions:
        yield mention
        if names.DRUG in mention.kinds and _MEASURED.search(plain):
            for ingredient in drugs.ingredients_in(mention.text):
                level = observables.by_id().get(f"{ingredient.name.casefold()}-level")
                if level:
                    key = keys.of_loinc(level.loinc)
                    yield Mention(level.short, frozenset({names.OBSERVABLE}), frozenset({key}))


def _mentions(read: list[Node], *, given: bool) -> Iterator[Mention]:
    """`given`: a name that is a result's and a drug's, as vancomycin, is the drug's."""
    for node in read:
        ingredient = drugs.by_name(node.text) if given and names.OBSERVABLE in node.kinds else None
        if ingredient:
            yield Mention(node.text, frozenset({names.DRUG}), frozenset({keys.of_ingredient(ingredient)}))
            continue
        if isinstance(node.value, frozenset) and node.kinds:
            meant = node.value.union(*(names.members().get(key, ()) for key in node.value))
            meant |= names.of_families(families.by_name(node.text))
            yield Mention(node.text, node.kinds, meant)


def _is_vaccine(node: Node, forms: frozenset[Form]) -> bool:
    """Whether it names a vaccine, or where nothing else is asked what only a vaccine is named by: `HPV due?`."""
    if names.IMMUNIZATION in node.kinds:
        return True
    return names.ANTIGEN in node.kinds and names.PROBLEM not in node.kinds and not forms


def _vaccines(plain: str) -> Iterator[Mention]:
    """What vaccines protect from, by the beginning of its name or by a layman's word: `pneumo`, `flu`; of two that
    begin alike, hepatitis A and B, the one that is written whole.
    """
    whole = [each for each in _antigens() if re.search(rf"\b{_spoken(each)}\b", plain)]
    for antigen, beginnings in _antigens().items():
        match = re.search(rf"\b(?:{'|'.join(beginnings)})\w*", plain)
        if antigen in whole or (match and not any(each[:_BEGINNING] == antigen[:_BEGINNING] for each in whole)):
            word = match.group() if match and antigen not in whole else _written(antigen)
            yield Mention(f"{word} vaccine", frozenset({names.IMMUNIZATION}), frozenset({names.of_vaccine(antigen)}))


@cache
def _antigens() -> dict[str, tuple[str, ...]]:
    """Each antigen with the beginnings by which it is known."""
    known = dict.fromkeys(antigen for vaccine in vaccines.known() for antigen in vaccine.antigens)
    return {each: (each[:_BEGINNING].replace("-", " ").strip(), *names.laymens_antigens(each)) for each in known}


def _spoken(antigen: str) -> str:
    return antigen.replace("-", " ")


def _written(antigen: str) -> str:
    """`hepatitis A`."""
    head, _, last = _spoken(antigen).rpartition(" ")
    return f"{head} {last.upper()}" if len(last) == 1 else _spoken(antigen)


def _areas_by_word(plain: str) -> Iterator[Area]:
    """In the order of the question; of words within longer ones, those of the longer: a heart tracing is no heart."""
    places = [(match.span(), area) for area, pattern in _area_patterns() for match in pattern.finditer(plain)]
    whole = [(span, area) for span, area in places if not any(_is_within(span, other) for other, _ in places)]
    yield from (area for _, area in sorted(whole, key=lambda each: each[0][0]))


def of_occasion(text: str) -> Area | None:
    """The occasion that a text is a word of."""
    plain = " ".join(_WORD.findall(text.casefold()))
    known = areas.occasions()
    return next((area for area, pattern in _area_patterns() if area.id in known and pattern.fullmatch(plain)), None)


def _is_within(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _areas_by_key(mentions: tuple[Mention, ...]) -> Iterator[Area]:
    for mention in mentions:
        wider = families.with_wider(names.families_among(mention.keys))
        meant = mention.keys | names.of_families(each.id for each in wider)
        yield from (area for area in areas.known().values() if not meant.isdisjoint(area_keys(area)))


@cache
def area_keys(area: Area) -> frozenset[str]:
    """The keys of the problems, results and classes of an area."""
    classes = filter(None, map(drug_classes.by_id, area.classes))
    return names.of_families(area.problems).union(map(keys.of_loinc, area.results), map(keys.of_class, classes))


def _forms(plain: str) -> Iterator[Form]:
    for form, pattern in _form_patterns():
        if pattern.search(plain) or (form is Form.REASON and plain.endswith(" for")):
            yield form


@cache
def _area_patterns() -> tuple[tuple[Area, re.Pattern[str]], ...]:
    """Occasions first, so that of one word for both the occasion leads."""
    every = (*areas.occasions().values(), *areas.known().values())
    return tuple((area, _pattern(area.words)) for area in every)


@cache
def _screening_patterns() -> tuple[tuple[Screening, re.Pattern[str]], ...]:
    return tuple((each, _pattern(each.words)) for each in screenings.known())


@cache
def _form_rows() -> tuple[tuple[Form, tuple[str, ...], tuple[str, ...]], ...]:
    """Each form with the words that ask for it and nothing else, and with those that are names as well."""
    rows = tables.read("forms", ("form", "words", "names"), files("consult.answering") / "data")
    return tuple((Form(row["form"]), row.several("words"), row.several("names")) for row in rows)


@cache
def _form_patterns() -> tuple[tuple[Form, re.Pattern[str]], ...]:
    return tuple((form, _pattern((*words, *own))) for form, words, own in _form_rows())


@cache
def _form_stems() -> frozenset[str]:
    return frozenset(stem for _, words, _ in _form_rows() for each in words for stem in terms(each.removesuffix("*")))


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    plain = (" ".join(_WORD.findall(each)) + (r"\w*" if each.endswith("*") else "") for each in words)
    return re.compile(rf"\b(?:{'|'.join(sorted(plain, key=len, reverse=True))})\b")
