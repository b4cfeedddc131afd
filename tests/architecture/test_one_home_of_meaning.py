"""What codes, names and units mean stands in libs/terminology and nowhere else.

A literal in the code of a library or service may not hold a LOINC code or the name of a drug, nor be the name of a
result or a factor between two units of one: who needs it looks it up there. Docstrings and sentences for a reader may
speak of results; tests state what they expect.
"""

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest
from terminology import drugs, names, tables, units
from terminology.observables import Observable, by_id, observables
from terminology.ordinary_words import is_one as is_ordinary
from terminology.scan import words_of

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "libs" / "terminology"
# Authors of made-up records: what a test expects must not be looked up in what it tests.
TEST_DATA = (ROOT / "libs" / "testkit", ROOT / "libs" / "practice")
# Literals that name something else than a concept.
ALLOWED: dict[str, frozenset[str]] = {
    # Ids of passages of the evidence library, and the words that it is searched by.
    "libs/consult/src/consult/rules/metformin.py": frozenset(
        {
            "fda-metformin-renal",
            "kdigo-2024-metformin",
            "metformin contraindicated eGFR below 30 renal impairment",
            "metformin dose eGFR chronic kidney disease KDIGO",
        }
    ),
    "libs/consult/src/consult/rules/potassium.py": frozenset({"potassium"}),
    # Tensors of a network, and the temperature of sampling.
    "libs/engine/src/engine/convert.py": frozenset({".weight"}),
    "libs/engine/src/engine/versions/__main__.py": frozenset({"weights"}),
    "libs/engine/src/engine/versions/repository.py": frozenset({"weights"}),
    "libs/engine/src/engine/versions/server.py": frozenset({"TEMPERATURE"}),
    "services/reasoning/src/reasoning/adapters/triton.py": frozenset({"TEMPERATURE"}),
}
_LOINC = re.compile(r"(?<![\w-])\d{3,5}-\d(?![\w-])")
_NUMBER = re.compile(r"\d*\.?\d+")
# Shorter names are words of protocols (`map`, `fit`); factors of fewer digits are limits and coefficients as well.
_LETTERS, _DIGITS = 5, 4
_LONGEST = 4
Words = tuple[str, ...]


def modules() -> list[Path]:
    roots = [path / "src" for kind in ("libs", "services") for path in (ROOT / kind).iterdir()]
    every = (path for root in roots for path in root.rglob("*.py"))
    elsewhere = (path for path in every if not {HOME, *TEST_DATA} & set(path.parents))
    return sorted(path for path in elsewhere if not path.stem.endswith(("_pb2", "_pb2_grpc")))


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Strings and numbers with their lines, without docstrings."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in prose and not isinstance(node.value, bool):
            yield node.lineno, str(node.value)


@cache
def drug_names() -> frozenset[Words]:
    """Names of ingredients, combinations and brands."""
    return frozenset(words for words in drugs.names() if _is_telling(words))


@cache
def result_names() -> frozenset[Words]:
    return frozenset(words for words in map(words_of, names.spoken()) if _is_telling(words))


def _is_telling(words: Words) -> bool:
    return len("".join(words)) >= _LETTERS and not is_ordinary(" ".join(words))


@cache
def factors() -> frozenset[str]:
    """The digits of every factor between two units in which a result comes."""
    related = tables.read("relations", tables.header("relations"))
    own = frozenset(_digits(row[column]) for row in related for column in ("factor", "offset"))
    return own.union(digits for known in observables().values() for digits in _factors(known))


def _factors(known: Observable) -> Iterator[str]:
    for one, other in permutations((known.unit, *known.units), 2):
        factor = units.convert(Decimal(1), one, other, known.substance)
        if factor is not None:
            yield from (_digits(f"{factor:.{count}e}".partition("e")[0]) for count in range(_DIGITS - 1, 9))


def _digits(number: str) -> str:
    """The significant digits, wherever the point stands."""
    return number.replace(".", "").strip("0")


def names_a_drug(text: str) -> bool:
    words = words_of(text)
    spans = (words[start : start + length] for length in range(1, _LONGEST + 1) for start in range(len(words)))
    return any(span in drug_names() for span in spans)


def offences(source: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """What of a module's literals belongs into terminology."""
    return [f"{line}: {text!r}" for line, text in literals(ast.parse(source)) if text not in allowed and _offends(text)]


def _offends(text: str) -> bool:
    is_factor = bool(_NUMBER.fullmatch(text)) and len(_digits(text)) >= _DIGITS and _digits(text) in factors()
    return bool(_LOINC.search(text)) or names_a_drug(text) or _is_a_result(text) or is_factor


def _is_a_result(text: str) -> bool:
    """A name; an id of two words (`birth-date`) is what a row is looked up by."""
    return words_of(text) in result_names() and not ("-" in text and text in by_id())


@pytest.mark.parametrize("module", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_says_itself_what_a_code_a_name_or_a_unit_means(module: Path) -> None:
    allowed = ALLOWED.get(module.relative_to(ROOT).as_posix(), frozenset())
    assert offences(module.read_text(encoding="utf-8"), allowed) == []


@pytest.mark.parametrize(
    "source",
    [
        'CODE = "2160-0"',
        'KEYS = {"http://loinc.org|2160-0"}',
        'if name == "lisinopril": pass',
        'BRANDS = ("Bactrim DS",)',
        'raise ValueError("give no metformin")',
        'ANALYTE = "Serum potassium"',
        "MMOL = value / 180.156",
        'MASS = Decimal("113.12")',
        "NGSP = 0.09148 * value + 2.152",
    ],
)
def test_a_meaning_outside_of_its_home_is_seen(source: str) -> None:
    assert offences(source) != []


@pytest.mark.parametrize(
    "source",
    [
        '"""Metformin, 2160-0."""',
        'WORDS = "The anion gap is "',
        "A = 0.9938**age_years * 1.012",
        'DAY = "2026-10-05"',
        'CLASS = "ace-inhibitor"',
        'BORN = loinc("birth-date")',
        "PORT = 9090",
    ],
)
def test_what_means_something_else_is_left_alone(source: str) -> None:
    assert offences(source) == []


def test_nothing_is_allowed_that_no_module_says() -> None:
    said = {
        path: {text for _, text in literals(ast.parse((ROOT / path).read_text(encoding="utf-8")))} for path in ALLOWED
    }
    assert {path: sorted(texts - said[path]) for path, texts in ALLOWED.items() if texts - said[path]} == {}
