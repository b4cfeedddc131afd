"""The names that a text may hold, with what they may be: results, drugs, classes, problems, and those of the record.

Names come from `libs/terminology` and from the record's own facts, and from nowhere else.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain, combinations

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import families, names, problems, procedures, reactions, vaccines
from terminology.loinc import loinc

from grounding import facts, keys
from grounding.lexicon import Keys, Names
from grounding.lexicon import everywhere as _every_result_and_drug
from grounding.reading import answers, wordings
from grounding.reading.nodes import Node

OBSERVABLE, DRUG, CLASS, PROBLEM, PANEL, PRESSURE = "observable", "drug", "class", "problem", "panel", "pressure"
ALLERGEN, PROCEDURE, IMAGING, DOCUMENT, IMMUNIZATION, THING, REACTION, ANSWER, ORGANISM, SOCIAL = (
    "allergen",
    "procedure",
    "imaging",
    "document",
    "immunization",
    "thing",
    "reaction",
    "answer",
    "organism",
    "social",
)
CARE_PLAN, ANTIGEN = "care-plan", "antigen"
KINDS = (
    OBSERVABLE, DRUG, CLASS, PROBLEM, PANEL, PRESSURE, ALLERGEN, PROCEDURE, IMAGING, DOCUMENT, IMMUNIZATION, THING,
    REACTION, ANSWER, ORGANISM, SOCIAL, CARE_PLAN, ANTIGEN,
)  # fmt: skip
_NAME, _STATED, _ORGANISM = "name|", "stated|", "organism|"
_FAMILY, _PANEL, _PROCEDURE, _VACCINE, _REACTION = "family|", "panel|", "procedure|", "vaccine|", "reaction|"
_CARE_PLAN, _ANTIGEN = "care-plan|", "antigen|"
_OF_PREFIX = {
    _FAMILY: PROBLEM, _NAME: PROBLEM, _PANEL: PANEL, _PROCEDURE: PROCEDURE, _VACCINE: IMMUNIZATION, _REACTION: REACTION,
    answers.PREFIX: SOCIAL, _STATED: ANSWER, _ORGANISM: ORGANISM,
    _CARE_PLAN: CARE_PLAN, _ANTIGEN: ANTIGEN,
}  # fmt: skip
# What productions name themselves: films are read with what they show.
_IMAGES = frozenset({"399208008"})
_VACCINES = ("{} vaccine", "{} vaccination", "{} vaccines", "{} vaccinations", "{} immunization", "{} immunisation",
             "{} shot", "{} shots", "{} booster", "{} boosters", "{} vaccine booster", "{} vaccination series",
             "{} jab", "{} jabs", "{} dose", "{} doses", "{} series", "{} vaccine series")  # fmt: skip
# Names of antigens that physicians use in place of the table's.
_ALSO = {"influenza": ("flu",), "varicella": ("chickenpox",), "zoster": ("shingles",), "hepatitis-a": ("hep a",),
         "hepatitis-b": ("hep b",), "meningococcal-acwy": ("meningococcal",), "covid-19": ("covid",)}  # fmt: skip
# How a vaccine is made, behind what it protects from.
_MANNERS = frozenset(("live", "recombinant", "inactivated"))
# Names of any plan, which say nothing of what it is for.
_ANY_PLAN = frozenset({"care plan", "coordination of care plan", "notification of treatment plan"})
# Answers that are also words of productions (`as a single dose`): the table of words takes them as answers.
_OTHERWISE = frozenset({"single", "white", "black"})
# Abbreviations up to this length are known only as they are written.
_SHORT = 4
_KIND_OF_FACT = {
    pb.FACT_KIND_RESULT: OBSERVABLE,
    pb.FACT_KIND_MEDICATION: DRUG,
    pb.FACT_KIND_PROBLEM: PROBLEM,
    pb.FACT_KIND_ALLERGY: ALLERGEN,
    pb.FACT_KIND_PROCEDURE: PROCEDURE,
    pb.FACT_KIND_IMAGING_FINDING: IMAGING,
    pb.FACT_KIND_DOCUMENT: DOCUMENT,
    pb.FACT_KIND_IMMUNIZATION: IMMUNIZATION,
}


def measured(identifier: str) -> Node:
    """A result that a text means without its name."""
    return Node("", 0, 0, frozenset({OBSERVABLE}), value=frozenset({keys.of_loinc(loinc(identifier))}))


def of_answer(text: str) -> str:
    """The key of a coded or textual value of the record."""
    return _STATED + " ".join(text.split()).casefold()


def of_organism(name: str) -> str:
    """The key of what a susceptibility is about."""
    return _ORGANISM + " ".join(name.split()).casefold()


def every_set_of_kinds() -> tuple[frozenset[str], ...]:
    """Every set of kinds that a name may have: few names are of more than three."""
    return tuple(frozenset(each) for each in chain.from_iterable(combinations(KINDS, n) for n in range(1, 5)))


def of_family(identifier: str) -> str:
    return _FAMILY + identifier


def of_families(identifiers: Iterable[str]) -> Keys:
    return frozenset(map(of_family, identifiers))


def families_among(meaning: Iterable[str]) -> tuple[str, ...]:
    """The ids of the families whose keys stand among some keys."""
    return tuple(key.removeprefix(_FAMILY) for key in meaning if key.startswith(_FAMILY))


def keys_of(fact: ClinicalFact) -> Keys:
    """Every key under which a name may mean the fact; the families that hold a problem among them."""
    own = facts.keys(fact)
    if fact.kind == pb.FACT_KIND_IMMUNIZATION:
        return own | _vaccine_keys(fact)
    if fact.kind == pb.FACT_KIND_PROCEDURE:
        known = procedures.of(fact.code) or procedures.of(fact.source_code)
        return own | {_PROCEDURE + known.code} if known and known.is_done else own
    if fact.kind in (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_RESULT):
        held = chain(
            problems.families_of(fact.code), problems.families_of(fact.source_code), problems.families_of(fact.coded)
        )
        own = own.union(*(_family_keys(each, facts.names(fact)) for each in dict.fromkeys(held)))
    return own | _of_thing(facts.names(fact)) if fact.kind == pb.FACT_KIND_PROBLEM else own


@lru_cache(maxsize=8192)
def _of_thing(written: tuple[str, ...]) -> Keys:
    """The families that a problem is of by the thing that it names: `neuropathy` of `neuropathy due to diabetes`."""
    things = (wordings.thing(name) for name in written)
    said = (" ".join(before) for before, words in things if before and len(before) < len(words))
    return of_families(each.id for name in said for each in families.with_wider(families.by_name(name)))


def _family_keys(family: families.Family, written: tuple[str, ...]) -> Keys:
    """Of a family, and of those names of a part of it that stand in the fact's own."""
    narrow = _narrow_of(family.id)
    if not narrow:
        return frozenset({of_family(family.id)})
    own = [f" {each.casefold()} " for name in written for each in (name, *wordings.spoken(name))]
    parts = {_NAME + part for word, part in narrow.items() if any(f" {word} " in name for name in own)}
    return frozenset({of_family(family.id), *parts})


@cache
def _narrow_of(identifier: str) -> dict[str, str]:
    """The names of parts of a family, and the key of each part."""
    listed = (name.text.lower() for name in families.known()[identifier].names)
    parts = {families.narrow()[text] for text in listed if text in families.narrow()}
    return {word: part for word, part in families.narrow().items() if part in parts}


def _vaccine_keys(fact: ClinicalFact) -> Keys:
    """The vaccine itself, what it protects from, and the series that it counts for."""
    given = vaccines.of(fact.code) or vaccines.of(fact.source_code)
    if given is None or not given.is_given:
        return frozenset()
    return frozenset(_VACCINE + each for each in (given.code, _head(given.display), *given.antigens, *given.series))


def laymens_antigens(antigen: str) -> tuple[str, ...]:
    """Other words for what a vaccine protects from: `flu`."""
    return _ALSO.get(antigen, ())


def of_procedure(code: str) -> str:
    """The key of a procedure of the table of procedures."""
    return _PROCEDURE + code


def of_antigens(meaning: Keys) -> Keys:
    """The keys of the vaccines against what is named."""
    return frozenset(_VACCINE + key.removeprefix(_ANTIGEN) for key in meaning if key.startswith(_ANTIGEN))


def of_vaccine(antigen: str) -> str:
    """The key of every vaccine that protects from this."""
    return _VACCINE + antigen.lower().replace(" ", "-")


def _head(display: str) -> str:
    """`Td` of `Td (adult) preservative free`, `Hep A` of `Hep A, adult`."""
    return re.split(r" \(|,", display)[0]


def kind_of(fact: ClinicalFact) -> str:
    return _KIND_OF_FACT.get(fact.kind, THING)


def kinds_of(meaning: Keys) -> frozenset[str]:
    """What a name may be, by its keys alone."""
    return frozenset(kind for key in meaning if (kind := _kind(key)))


def _kind(key: str) -> str:
    if keys.is_result(key) or key.startswith("calculation|"):
        return OBSERVABLE
    if keys.is_drug(key):
        return DRUG
    if keys.is_class(key):
        return CLASS
    if key == _PANEL + names.BLOOD_PRESSURE:
        return PRESSURE
    return _OF_PREFIX.get(key[: key.find("|") + 1], "")


@cache
def members() -> dict[str, Keys]:
    """The key of a panel (blood pressure) -> the keys of its members."""
    return {
        _PANEL + each.id: frozenset(keys.of_loinc(member.loinc) for member in each.members) for each in names.panels()
    }


@cache
def everywhere() -> tuple[Names, ...]:
    """What every text may name, whatever its record."""
    own = Names()
    _add_problems(own)
    _add_panels(own)
    _add_procedures(own)
    _add_vaccines(own)
    _add_care_plans(own)
    for words in reactions.WORDS:
        own.add(words, frozenset({_REACTION + words}))
    for words, key in answers.spoken():
        if words not in _OTHERWISE:
            own.add(words, frozenset({key}))
    return (_every_result_and_drug(), own)


def _add_problems(own: Names) -> None:
    for family in families.known().values():
        for name in family.names:
            part = families.narrow().get(name.text.lower())
            meaning = frozenset({_NAME + part if part else of_family(name.key)})
            own.add(name.text, meaning, as_written=name.ambiguous)
            if " stage " in name.text:
                own.add(name.text.replace(" stage ", ", stage "), meaning)
            if not name.ambiguous and len(name.text) > _SHORT and not name.text.isupper():
                own.add(wordings.plural(name.text), meaning)


def _add_panels(own: Names) -> None:
    for panel in names.panels():
        for text in panel.names:
            own.add(text, frozenset({_PANEL + panel.id}))
            if text.endswith(("panel", "profile")):
                own.add(wordings.plural(text), frozenset({_PANEL + panel.id}))
        for text in panel.abbreviations:
            own.add(text, frozenset({_PANEL + panel.id}), as_written=True)


def _add_procedures(own: Names) -> None:
    """A display of one word (therapy, incision) is too wide unless it is also a name."""
    for known in procedures.known():
        meaning = frozenset({_PROCEDURE + known.code})
        for text in known.names if " " not in known.display else (known.display, *known.names):
            if known.code not in _IMAGES:
                own.add(text, meaning, as_written=text.isupper() and len(text) <= _SHORT)
                if len(text) > _SHORT:
                    own.add(wordings.plural(text), meaning)
                for sentence in wordings.passive(text):
                    own.add(sentence, meaning)


def _add_care_plans(own: Names) -> None:
    """A plan of two codes is one plan; that it is clinical and where its hyphen stands is not said by all."""
    for known in procedures.plans():
        if known.display.lower() not in _ANY_PLAN:
            meaning = frozenset({_CARE_PLAN + known.display.lower()})
            for text in (known.display, known.display.replace(" clinical ", " "), known.display.replace(" care ", " ")):
                own.add(text, meaning)
                own.add(text.replace("self management", "self-management"), meaning)


def _add_vaccines(own: Names) -> None:
    for given in vaccines.known():
        for text in (given.display, *given.names, *_spellings_of(given.display)):
            _add_vaccine(own, text, given.code)
        for text in _with_manner(given.display):
            own.add(text, frozenset({_VACCINE + given.code}))
        _add_vaccine(own, _head(given.display), _head(given.display))
        for series in given.series:
            _add_vaccine(own, series, series)
        for antigen in given.antigens:
            for text in (antigen.replace("-", " "), *_ALSO.get(antigen, ())):
                _add_vaccine(own, text, antigen, alone=False)
                own.add(text, frozenset({_ANTIGEN + antigen}))


def _with_manner(display: str) -> tuple[str, ...]:
    """`Zoster vaccine (live)` of `zoster live`."""
    name, _, manner = display.rpartition(" ")
    return (f"{name} vaccine ({manner})", f"{name} vaccine, {manner}") if name and manner in _MANNERS else ()


def _spellings_of(display: str) -> tuple[str, ...]:
    """`Hepatitis A (adult)` of `Hep A, adult`."""
    full = display.replace("Hep ", "Hepatitis ")
    head, comma, rest = full.partition(", ")
    return (full, f"{head} ({rest})", f"{rest} {head}") if comma else (full,)


@cache
def _antigens() -> frozenset[str]:
    own = {antigen for given in vaccines.known() for antigen in given.antigens}
    return frozenset(own | {each for names_of in _ALSO.values() for each in names_of})


def _add_vaccine(own: Names, text: str, what: str, *, alone: bool = True) -> None:
    """A word that is also a disease (influenza) is a vaccine only where it is called one."""
    meaning = frozenset({_VACCINE + what})
    is_disease = text.casefold() in _antigens() or families.named(text)
    is_own = alone and any(map(str.isupper, text)) and not is_disease
    for form in (("{}",) if is_own else ()) + _VACCINES:
        own.add(form.format(text), meaning)
