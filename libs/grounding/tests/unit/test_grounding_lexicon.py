"""Names in texts: every name of terminology leads back to what it means, and ordinary words lead nowhere."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict, Verifier, facts, keys, lexicon, render
from grounding.kinds import allergy, latest, medication
from grounding.reading import names as read_names
from grounding.reading import tokens
from grounding.reading.tokens import Amount
from grounding.statements import Statement
from longitude.record.v1.fact_pb2 import (
    ASSERTION_PRESENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_RESULT,
    FACT_STATUS_ACTIVE,
    ClinicalFact,
    CodedConcept,
    Quantity,
)
from practice.records import RecordBuilder
from terminology import allergens, drug_classes, drugs, names, observables, ordinary_words, units
from terminology.concepts import LOINC
from terminology.scan import words_of

MOMENT = datetime(2026, 10, 7, tzinfo=UTC)


def meant(text: str) -> frozenset[str]:
    """What a text is read as, if it is one name from its beginning to its end."""
    match = next(lexicon.find(text, lexicon.everywhere()), None)
    beside = text[: match.start] + text[match.end :] if match else ""
    return match.keys if match and not any(map(str.isalnum, beside)) else frozenset()


def observable_names() -> Iterator[tuple[str, str]]:
    for known in observables.observables().values():
        key = keys.of_concept(CodedConcept(system=LOINC, code=known.loinc))
        yield from ((name, key) for name in (known.short, *known.names) if not names.panel(name))


def test_every_name_of_a_result_leads_back_to_it() -> None:
    lost = [name for name, key in observable_names() if key not in meant(name) and not ordinary_words.is_one(name)]
    assert lost == []


def test_every_abbreviation_leads_back_as_physicians_write_it_and_short_ones_only_so() -> None:
    abbreviations = {name: known for name, known in names.written().items() if not names.panel(name)}
    bare = {name: name.strip("+-") for name in abbreviations}
    lost = [
        name
        for name, known in abbreviations.items()
        if not {keys.of_concept(CodedConcept(system=LOINC, code=each.loinc)) for each in known} <= meant(bare[name])
    ]
    assert lost == []
    assert [word for word in ("k", "na", "cr", "fit", "map", "be") if meant(word)] == []


def test_every_name_of_a_drug_leads_back_to_its_ingredients() -> None:
    lost = [
        " ".join(words)
        for words, ingredients in drugs.names().items()
        if keys.of_drug(ingredients) not in meant(" ".join(words)) and not ordinary_words.is_one(" ".join(words))
    ]
    assert lost == []


def test_every_name_of_a_class_leads_back_to_it() -> None:
    lost = [
        name
        for each in drug_classes.everything()
        for name in each.names
        if keys.of_class(each) not in meant(" ".join(words_of(name))) and not ordinary_words.is_one(name)
    ]
    assert lost == []


@pytest.mark.parametrize(
    "text",
    [
        "Camila asked today whether she should lead a group of smokers in the open air.",
        "In contrast, her memory and her thyroid were fine, and so was the sea water.",
        "Nikki and Ella fit the map of the art gallery into a cat box, with gold leaf and a nut.",
        "She uses an insulin syringe, an insulin pump and a lithium battery.",
        "sodium, chloride",
    ],
)
def test_an_ordinary_word_names_no_drug(text: str) -> None:
    assert [each.text for each in tokens.tokens(text, MOMENT.date()) if read_names.DRUG in each.kinds] == []


@pytest.mark.parametrize(
    ("text", "names_in_it"),
    [
        ("K+ was 5.6, Na 140, and Cr 1.2.", ["K", "Na", "Cr"]),
        ("HYDROCODONE-ACETAMINOPHEN", ["HYDROCODONE", "ACETAMINOPHEN"]),
        ("co-trimoxazole and co trimoxazole", ["co-trimoxazole", "co trimoxazole"]),
        ("albumin/creatinine ratio", ["albumin/creatinine ratio"]),
        ("ACE-inhibitors", ["ACE-inhibitors"]),
        ("serum\n creatinine", ["serum\n creatinine"]),
        ("iron deficiency anaemia, weight loss, opioid use disorder", []),
        ("high potassium", ["potassium"]),
        ("sodium. Chloride", ["sodium", "Chloride"]),
    ],
)
def test_the_longest_name_is_taken_at_word_boundaries(text: str, names_in_it: list[str]) -> None:
    assert [text[each.start : each.end] for each in lexicon.find(text, lexicon.everywhere())] == names_in_it


def test_a_combination_is_not_one_of_its_parts_but_holds_them() -> None:
    record = RecordBuilder()
    both = record.medication("", "Bactrim DS", "2026-01-01")
    alone = record.medication("10829", "trimethoprim", "2026-01-01")
    sources = Sources.of(MOMENT, record.facts, identifiers=[record.patient])
    verifier = Verifier(sources)

    def verdict(text: str, fact_id: str) -> Verdict:
        rendered = render(medication.statement(sources, fact_id), sources)
        return verifier.verify(text, rendered.citations).verdict

    assert verdict("Co-trimoxazole is active.", both) is Verdict.SUPPORTED
    assert verdict("Sulfamethoxazole / trimethoprim is active.", both) is Verdict.SUPPORTED
    assert verdict("Trimethoprim is active.", both) is Verdict.SUPPORTED
    assert verdict("Trimethoprim is active.", alone) is Verdict.SUPPORTED
    assert verdict("Co-trimoxazole is active.", alone) is not Verdict.SUPPORTED
    assert verdict("Sulfamethoxazole / trimethoprim is active.", alone) is not Verdict.SUPPORTED


def _known() -> Iterator[tuple[str, ClinicalFact]]:
    """A fact of each observable, ingredient and allergen that terminology knows, with how it is told."""
    for known in observables.observables().values():
        fact = ClinicalFact(
            kind=FACT_KIND_RESULT, code=CodedConcept(system=LOINC, code=known.loinc, display=known.name)
        )
        # An age is checked against the birth date, whatever result says it.
        if known.unit and known.short != "Age":
            fact.quantity.CopyFrom(Quantity(value="7", unit=known.unit))
            yield "latest", fact
    for ingredient in drugs.everything():
        coded = drugs.concept_of(ingredient)
        yield "medication", ClinicalFact(kind=FACT_KIND_MEDICATION, code=coded, status=FACT_STATUS_ACTIVE)
        yield "allergy", ClinicalFact(kind=FACT_KIND_ALLERGY, code=coded, assertion=ASSERTION_PRESENT)
    classes = (allergens.Allergen(each.name, drug_class=each) for each in drug_classes.everything())
    for allergen in (*classes, *(each for each, _ in allergens._rows())):
        coded = allergens.concept_of(allergen)
        yield "allergy", ClinicalFact(kind=FACT_KIND_ALLERGY, code=coded, assertion=ASSERTION_PRESENT)


KINDS = {"latest": latest.statement, "medication": medication.statement, "allergy": allergy.statement}


def _say(kind: str, sources: Sources, fact_id: str) -> Statement:
    return KINDS[kind](sources, fact_id)


def test_whatever_terminology_knows_is_rendered_by_its_short_name_and_read_back() -> None:
    """One record each: a name must be read back without the others beside it."""
    refused = []
    for kind, fact in _known():
        record = RecordBuilder()
        fact_id = record.add(fact, "2026-01-02")
        sources = Sources.of(MOMENT, record.facts, identifiers=[record.patient])
        rendered = render(_say(kind, sources, fact_id), sources)
        verified = Verifier(sources).verify(rendered.text, rendered.citations)
        named = facts.name_of(record.facts[0].fact)
        if verified.verdict is not Verdict.SUPPORTED or named.lower() not in rendered.text.lower():
            refused.append((rendered.text, verified.reason))
    assert refused == [], "\n".join(map(str, refused))


def test_every_unit_of_the_table_is_read_behind_a_number_as_it_is_printed() -> None:
    lost = []
    # The cells of this unit are named as a result.
    for spelling in set(units.PROSE) - {"per 100 white cells"}:
        amounts = [each.value for each in tokens.tokens(f"It was 7 {spelling}.", MOMENT.date())]
        read = [each for each in amounts if isinstance(each, Amount) and each.unit == units.printed(spelling)]
        lost += [] if read else [spelling]
    assert lost == []
