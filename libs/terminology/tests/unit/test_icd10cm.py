"""ICD-10-CM is known whole, and says what its book says."""

import subprocess
import sys

import pytest
import simple_icd_10_cm
from terminology import icd10cm


def test_every_code_has_the_description_of_the_book() -> None:
    codes = simple_icd_10_cm.get_all_codes()
    codes = [code for code in codes if not simple_icd_10_cm.is_chapter_or_block(code) and "-" not in code]
    # The package appends the notes of some seventh characters after a slash.
    book = {code: simple_icd_10_cm.get_description(code) for code in codes}
    different = [
        code for code in codes if book[code] != (own := icd10cm.describe(code)) and not book[code].startswith(own + "/")
    ]
    assert len(codes) > 90_000
    assert all(icd10cm.describe(code) for code in codes)
    assert different == []


@pytest.mark.parametrize("code", ["E11.22", "e1122", " E11.22 "])
def test_a_code_is_known_in_each_of_its_spellings(code: str) -> None:
    assert icd10cm.describe(code) == "Type 2 diabetes mellitus with diabetic chronic kidney disease"


def test_a_seventh_character_says_the_encounter() -> None:
    assert icd10cm.describe("T36.0X1D").endswith("subsequent encounter")
    assert icd10cm.describe("T36.0X1Z") == ""


@pytest.mark.parametrize("code", ["", "E99.99", "250.00", "44054006", "E11-E13", "9", "E11.22.1"])
def test_what_is_no_code_has_no_description(code: str) -> None:
    assert icd10cm.describe(code) == ""


def test_the_book_is_read_without_importing_its_package() -> None:
    """The import costs 1.4 s and 184 MB: no service may pay it."""
    script = (
        "import sys; from terminology import icd10cm; icd10cm.describe('I10'); print('simple_icd_10_cm' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == "False\n"
