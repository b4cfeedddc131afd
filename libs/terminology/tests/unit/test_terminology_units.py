"""Units: every spelling has one meaning, sizes follow from UCUM, conversions are exact and never guessed."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminology import ucum as codes
from terminology import units
from terminology.substances import relation, substance
from terminology.tables import TableError, read

UNITS = read("units", ("ucum", "printed", "spellings", "prose", "misread", "source"))
SUBSTANCES = read("substances", ("substance", "formula", "mass", "valence", "source"))
RELATIONS = read("relations", ("substance", "unit", "to", "factor", "offset", "source"))


def test_a_table_with_other_columns_is_refused() -> None:
    with pytest.raises(TableError, match=r"units\.tsv"):
        read("units", ("ucum", "printed"))


def test_every_unit_is_ucum_and_every_spelling_leads_to_it() -> None:
    for row in UNITS:
        code = row["ucum"]
        assert codes.parse(code) is not None, code
        assert units.ucum(code) == code
        for spelling in (*row["spellings"].split("|"), *filter(None, row["prose"].split("|"))):
            assert units.ucum(spelling) == code, spelling


def test_a_printed_unit_is_read_as_a_unit_of_the_same_size() -> None:
    for row in UNITS:
        if row["printed"]:
            assert units.convert(Decimal("7.25"), row["printed"], row["ucum"]) == Decimal("7.25"), row["ucum"]


def test_no_spelling_belongs_to_two_units() -> None:
    spellings = Counter(spelling for row in UNITS for spelling in row["spellings"].split("|"))
    assert [spelling for spelling, count in spellings.items() if count > 1] == []
    fields = {spelling for row in UNITS for spelling in row["spellings"].split("|")}
    misread = [spelling for row in UNITS for spelling in filter(None, row["misread"].split("|"))]
    assert not fields & set(misread)
    assert len(misread) == len(set(misread))


@pytest.mark.parametrize(
    ("unit", "to", "factor"),
    [  # exact by definition: NIST SP 811 appendix B, the SI, UCUM 2.1
        ("[lb_av]", "kg", "0.45359237"), ("[oz_av]", "g", "28.349523125"), ("[in_i]", "cm", "2.54"),
        ("[ft_i]", "m", "0.3048"), ("[stone_av]", "kg", "6.35029318"), ("h", "s", "3600"), ("wk", "h", "168"),
        ("L", "mL", "1000"), ("10*3/uL", "10*9/L", "1"), ("/uL", "10*3/uL", "0.001"), ("10*6/uL", "10*12/L", "1"),
        ("mm[Hg]", "Pa", "133.3220"), ("kPa", "Pa", "1000"), ("ukat/L", "U/L", "60"), ("kU/L", "U/mL", "1"),
        ("ng/mL", "ug/L", "1"), ("pg/mL", "ng/L", "1"), ("mg/dL", "g/L", "0.01"), ("ng/dL", "pg/mL", "10"),
        ("mL/s/{1.73_m2}", "mL/min/{1.73_m2}", "60"), ("u[IU]/mL", "m[IU]/L", "1"), ("%", "1", "0.01"),
        ("umol/L", "nmol/mL", "1"), ("mg/g", "ug/mg", "1"), ("cal", "J", "4.184"), ("mg/d", "g/d", "0.001"),
    ],
)  # fmt: skip
def test_sizes_follow_from_the_definitions(unit: str, to: str, factor: str) -> None:
    assert units.convert(Decimal(1), unit, to) == Decimal(factor)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [("98.6", "[degF]", "Cel", "37"), ("37", "Cel", "[degF]", "98.6"), ("310.15", "K", "°C", "37")],
)
def test_temperatures_have_an_offset(value: str, unit: str, to: str, expected: str) -> None:
    assert units.convert(Decimal(value), unit, to) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "unit", "to", "measured", "expected"),
    [
        ("1.0", "mg/dL", "umol/L", "creatinine", "88.40"),
        ("100", "mg/dL", "mmol/L", "glucose", "5.551"),
        ("14", "g/dL", "mmol/L", "haemoglobin", "8.688"),
        ("30", "mg/g", "mg/mmol", "albumin/creatinine", "3.394"),
        ("7.0", "%", "mmol/mol", "glycated haemoglobin", "52.995"),
        ("55", "mmol/mol", "%", "glycated haemoglobin", "7.183"),
        ("5.0", "meq/L", "mg/dL", "calcium", "10.0195"),
        ("5.6", "mmol/L", "mEq/L", "potassium", "5.6"),
        ("200", "mg/dL", "mmol/L", "cholesterol", "5.172"),
        ("150", "mg/dL", "mmol/L", "triglyceride", "1.694"),
        ("30", "ng/mL", "nmol/L", "calcidiol", "74.88"),
        ("100", "ug/dL", "umol/L", "iron", "17.906"),
        ("1000", "pg/mL", "pmol/L", "nt-probnp", "118.2"),
        ("40", "[IU]/L", "U/L", "enzyme", "40"),
        ("30", "[IU]/L", "ukat/L", "enzyme", "0.5"),
        ("0.41", "L/L", "%", "haematocrit", "41"),
    ],
)
def test_conversions_agree_with_the_laboratorys(value: str, unit: str, to: str, measured: str, expected: str) -> None:
    converted = units.convert(Decimal(value), unit, to, measured)
    assert converted is not None
    assert float(converted) == pytest.approx(float(expected), rel=5e-4)


def test_urea_becomes_urea_nitrogen_by_mass_and_by_moles() -> None:
    by_mass = units.convert(Decimal(60), "mg/dL", "mg/dL", "urea", "urea nitrogen")
    by_moles = units.convert(Decimal("9.3"), "mmol/L", "mg/dL", "urea", "urea nitrogen")
    assert by_mass is not None
    assert float(by_mass) == pytest.approx(60 * 28.014 / 60.056)
    assert by_moles is not None
    assert float(by_moles) == pytest.approx(9.3 * 2.8014)


@pytest.mark.parametrize(
    ("unit", "to", "measured"),
    [
        ("mg/dL", "umol/L", ""), ("mg/dL", "umol/L", "unknown"), ("mg/dL", "%", "glycated haemoglobin"),
        ("mmol/mol", "%", ""), ("mg/g", "%", "albumin/creatinine"), ("mmol/L", "meq/L", ""), ("kg", "cm", ""),
        ("[IU]/L", "U/L", ""), ("mL/min", "mL/min/{1.73_m2}", ""), ("{score}", "1", ""), ("L/L", "%", ""),
        ("mg/g", "mg/mmol", ""), ("furlong", "cm", ""), ("", "mg", ""), ("mg", "", ""), ("Cel", "kg", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_not_guessed(unit: str, to: str, measured: str) -> None:
    assert units.convert(Decimal(1), unit, to, measured) is None
    assert not units.comparable(unit, to, measured)


@pytest.mark.parametrize(
    ("value", "unit", "to", "sent"),
    [("850", "g", "kg", "0.850"), ("5", "g/dL", "g/L", "50"), ("1.20", "g", "mg", "1200")],
)
def test_where_only_the_point_moves_the_digits_are_those_that_were_sent(
    value: str, unit: str, to: str, sent: str
) -> None:
    assert str(units.convert(Decimal(value), unit, to)) == sent


@given(st.decimals(0, 10**6, places=3))
def test_a_number_in_the_right_unit_is_the_number(value: Decimal) -> None:
    assert units.convert(value, "mg/dL", "mg/dl", "creatinine") is value


PAIRS = [
    ("creatinine", "mg/dL", "umol/L"), ("glucose", "mg/dL", "mmol/L"), ("glycated haemoglobin", "%", "mmol/mol"),
    ("magnesium", "mg/dL", "meq/L"), ("albumin/creatinine", "mg/g", "mg/mmol"), ("", "[degF]", "Cel"),
    ("", "[lb_av]", "kg"), ("", "mm[Hg]", "kPa"),
]  # fmt: skip


@given(st.decimals("0.1", "300", places=2), st.sampled_from(PAIRS))
def test_there_and_back_is_the_same(value: Decimal, pair: tuple[str, str, str]) -> None:
    measured, unit, to = pair
    there = units.convert(value, unit, to, measured)
    assert there is not None
    back = units.convert(there, to, unit, measured)
    assert back is not None
    assert abs(back - value) < Decimal("1e-20")


@pytest.mark.parametrize(
    ("sent", "converted", "decimals", "rounded"),
    [
        ("850", "0.850", 1, "0.85"),
        ("120", "12.0", 1, "12.0"),
        ("70000", "70.000", 1, "70.0"),
        ("121", "1.36876", 2, "1.37"),
        ("9.3", "26.05302", 1, "26.1"),
        ("10.25", "184.66", 0, "184.7"),
        ("6.25", "2.8349523125", 1, "2.83"),
        ("88.4", "1.00000", 2, "1.00"),
    ],
)
def test_the_digits_sent_decide_the_digits_of_a_conversion(
    sent: str, converted: str, decimals: int, rounded: str
) -> None:
    assert str(units.rounded(Decimal(converted), Decimal(sent), decimals)) == rounded


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("mg/dl", "mg/dL"), ("MG/DL", "mg/dL"), ("µmol/l", "umol/L"), ("μmol/L", "umol/L"), ("mm Hg", "mm[Hg]"),
        ("10^9/L", "10*9/L"), ("K/uL", "10*3/uL"), ("giga.l-1", "10*9/L"), ("beats/min", "/min"), ("kg/m²", "kg/m2"),
        ("mL/min/1.73 m2", "mL/min/{1.73_m2}"), ("mL/min/1.73m²", "mL/min/{1.73_m2}"), ("G/L", "g/L"), ("°F", "[degF]"),
        ("ng/kg/min", "ng/kg/min"), ("ells", None), ("", None), ("10", None), ("71045", None),
        ("10*3", None), ("MU", None), ("MIU", None), ("mgldL", None), ("}{", None), ("a" * 99, None),
    ],
)  # fmt: skip
def test_a_unit_is_ucum_or_unknown(spelling: str, code: str | None) -> None:
    assert units.ucum(spelling) == code


def test_what_text_recognition_misreads_is_known_only_on_scanned_pages() -> None:
    assert units.ucum("mgldL", scanned=True) == "mg/dL"
    assert units.ucum("mgldL") is None


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("mL/min/{1.73_m2}", "mL/min/1.73 m2"), ("mm[Hg]", "mmHg"), ("µmol/l", "umol/L"), ("10*3/uL", "10^9/L"),
        ("meq/L", "mEq/L"), ("Cel", "°C"), ("wk", "week"), ("m[IU]/L", "mIU/L"), ("furlong  long", "furlong long"),
    ],
)  # fmt: skip
def test_one_unit_has_one_printed_form(spelling: str, unit: str) -> None:
    assert units.printed(spelling) == unit


def test_spans_of_time_are_printed_by_the_names_that_texts_use() -> None:
    assert {units.printed(code) for code in ("d", "wk", "mo", "a")} == units.TIME_UNITS


def test_sentences_are_searched_for_the_longest_spelling_first() -> None:
    assert list(units.PROSE) == sorted(units.PROSE, key=len, reverse=True)
    assert "ml/min/1.73 m2" in units.PROSE
    assert all(units.ucum(word) for word in units.PROSE)


@given(st.text(max_size=70))
def test_any_text_is_a_unit_or_not_and_never_an_error(text: str) -> None:
    code = units.ucum(text)
    assert code is None or codes.parse(code) is not None


@given(st.text(alphabet="mgLdu/.*^10{}[]IU%-2", max_size=20))
def test_a_code_is_read_whole_or_not_at_all(code: str) -> None:
    unit = codes.parse(code)
    assert unit is None or unit.factor > 0


@pytest.mark.parametrize(
    ("name", "mass"),  # g/mol, CIAAW's abridged standard atomic weights
    [("creatinine", "113.120"), ("glucose", "180.156"), ("cholesterol", "386.664"), ("triglyceride", "885.453"),
     ("urate", "168.112"), ("bilirubin", "584.673"), ("urea nitrogen", "28.014"), ("urea", "60.056"),
     ("lactate", "90.078"), ("thyroxine", "776.856"), ("haemoglobin", "16114"), ("bicarbonate", None)],
)  # fmt: skip
def test_molar_masses_follow_from_formulas_and_atomic_weights(name: str, mass: str | None) -> None:
    known = substance(name)
    assert known is not None
    assert known.molar_mass == (None if mass is None else Fraction(mass))


def test_every_factor_exists_once() -> None:
    names = [row["substance"] for row in SUBSTANCES]
    assert len(names) == len(set(names))
    assert all(not (row["formula"] and row["mass"]) for row in SUBSTANCES)
    pairs = [(row["substance"], frozenset((row["unit"], row["to"]))) for row in RELATIONS]
    assert len(pairs) == len(set(pairs))
    # A relation says what neither the definitions nor the formulas say.
    assert all(not units.comparable(row["unit"], row["to"]) or row["unit"] == "1" for row in RELATIONS)
    atoms = [row["atom"] for row in read("ucum_atoms", ("atom", "value", "unit", "offset", "metric", "source"))]
    assert len(atoms) == len(set(atoms))


def test_a_relation_goes_both_ways() -> None:
    there, back = (relation("glycated haemoglobin", *pair) for pair in (("mmol/mol", "%"), ("%", "mmol/mol")))
    assert there is not None
    assert back is not None
    assert (53 * there.factor + there.offset) * back.factor + back.offset == 53
    assert relation("glucose", "mmol/mol", "%") is None
