"""A code says its problem and no more; what is unknown stays unknown."""

import pytest
from terminology import coding_systems, families, problems, tables
from terminology.concepts import CPT, ICD9CM, ICD10, ICD10CM, SNOMED, concept

ROWS = tables.read("problems", problems.COLUMNS)


def test_every_row_is_known_and_its_families_exist() -> None:
    for row in ROWS:
        problem = problems.of(concept(coding_systems.uri(row["system"]), row["code"]))
        assert problem is not None
        assert set(problem.families) <= families.known().keys()


def test_the_words_of_every_row_lead_back_to_its_families() -> None:
    for row in ROWS:
        by_words = problems.of(concept("", "", row["display"].upper()))
        assert by_words is not None
        assert set(by_words.families) == set(row.several("families"))


def test_what_is_suspected_or_awaited_is_in_no_family() -> None:
    rows = [row for row in ROWS if row["kind"] == "situation" and not row["display"].startswith("History of")]
    assert len(rows) > 5
    assert [row["display"] for row in rows if row["families"]] == []


def test_a_risk_of_a_problem_is_in_no_family() -> None:
    rows = [row for row in ROWS if "risk of" in row["display"] or "risk for" in row["display"]]
    assert rows
    assert [row["display"] for row in rows if row["families"]] == []


@pytest.mark.parametrize(
    ("system", "code", "ids"),
    [
        (SNOMED, "44054006", ["type-2-diabetes", "diabetes"]),
        (SNOMED, "433144002", ["ckd-3", "ckd"]),
        (SNOMED, "399211009", ["myocardial-infarction", "coronary-disease"]),
        (SNOMED, "162573006", []),
        (ICD10CM, "E11.9", ["type-2-diabetes", "diabetes"]),
        (ICD10, "E10.9", ["type-1-diabetes", "diabetes"]),
        (ICD9CM, "250.00", ["diabetes"]),
        (ICD9CM, "428.22", ["hfref", "heart-failure"]),
        (ICD9CM, "V22.1", ["pregnancy"]),
        (ICD9CM, "729.1", ["muscle-pain"]),
        (ICD9CM, "434.90", ["cerebrovascular-disease"]),
        (ICD9CM, "434.91", ["stroke", "cerebrovascular-disease"]),
        (ICD9CM, "278.02", []),
        (ICD9CM, "282.5", []),
        (ICD10, "E66.9", ["obesity"]),
    ],
)
def test_families_of_a_code(system: str, code: str, ids: list[str]) -> None:
    assert [family.id for family in problems.families_of(concept(system, code))] == ids


@pytest.mark.parametrize(
    ("system", "code"),
    [(SNOMED, "99999999"), (ICD10CM, "E99.99"), (ICD9CM, "999.999.9"), (CPT, "71045"), (SNOMED, "1234")],
)
def test_an_unknown_code_of_a_known_system_is_unknown_whatever_its_display(system: str, code: str) -> None:
    assert problems.of(concept(system, code, "Diabetes mellitus")) is None


@pytest.mark.parametrize("display", ["Diabetes", "diabetes  MELLITUS", "T2DM", "Hyperlipidemia", "high blood pressure"])
def test_words_count_where_there_is_no_code_of_a_known_system(display: str) -> None:
    assert problems.of(concept("", "", display)) is not None
    assert problems.of(concept("urn:local", "123", display)) is not None


@pytest.mark.parametrize(
    "display", ["", "no diabetes", "Diabetes screening", "RA", "ARF", "family history of diabetes"]
)
def test_words_that_say_less_or_more_are_unknown(display: str) -> None:
    assert problems.of(concept("", "", display)) is None


def test_a_short_name_is_the_known_one_then_the_one_sent_then_the_code() -> None:
    assert problems.short_name(concept(SNOMED, "44054006", "Diabetes")) == "Diabetes mellitus type 2"
    assert problems.short_name(concept(SNOMED, "99999999", "Something")) == "Something"
    assert problems.short_name(concept(SNOMED, "99999999")) == "99999999"


# Verhoeff's dihedral check (SNOMED CT technical implementation guide, 5.6 Check digit).
_D5 = [[(i + j) % 5 if i < 5 and j < 5 else (i + j - 5) % 5 + 5 if i < 5 else (i - j) % 5 + 5 if j < 5 else (i - j) % 5
        for j in range(10)] for i in range(10)]  # fmt: skip
_TURNS = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def _checks(identifier: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(identifier)):
        turned = int(digit)
        for _ in range(position % 8):
            turned = _TURNS[turned]
        total = _D5[total][turned]
    return total == 0


@pytest.mark.parametrize("name", [name for name in tables.names() if "system" in tables.header(name)])
def test_every_code_of_snomed_ct_has_a_right_check_digit(name: str) -> None:
    rows = tables.read(name, tables.header(name))
    codes = [row["code"] for row in rows if coding_systems.uri(row["system"]) == SNOMED]
    assert [code for code in codes if not _checks(code)] == []


def test_the_check_digit_finds_a_wrong_digit() -> None:
    assert _checks("44054006")
    assert not _checks("44054007")
    assert not _checks("44045006")


def _sum_of_digits(number: int) -> int:
    return number // 10 + number % 10


@pytest.mark.parametrize("name", ["documents", "reports"])
def test_every_code_of_loinc_has_a_right_check_digit(name: str) -> None:
    """LOINC Users' Guide, appendix C: Mod 10."""
    for row in tables.read(name, tables.header(name)):
        number, _, check = row["code"].partition("-")
        doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(number)))
        assert (row["code"], -sum(map(_sum_of_digits, doubled)) % 10) == (row["code"], int(check))
