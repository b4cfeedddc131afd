"""ICD-10-CM whole: what each code says, read once from the book inside the package simple-icd-10-cm.

Importing that package takes 1.2 s and 184 MB, because it keeps the notes of all codes. Only code and description are
needed here, so its tabular list is read by itself, at the first question: 0.2 s and 12 MB. Guarantee: every code that
the package knows has its description, without the notes that the package appends to some seventh characters.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET  # the book is an installed file of ours, not a stranger's bytes

_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(?:\.?[0-9A-Z]{1,4})?")
_SEVENTH = 7


def describe(code: str) -> str:
    """What the book says of a category, subcategory or code, with or without its point; empty when it has none."""
    plain = normal(code)
    texts, sevenths = _book()
    if not plain or plain in texts:
        return texts.get(plain, "")
    stem = plain[: _SEVENTH - 1].rstrip("X")
    seventh = next((sevenths[key][plain[-1]] for key in _prefixes(stem) if plain[-1] in sevenths.get(key, {})), "")
    return f"{texts[stem]}, {seventh}" if len(plain) == _SEVENTH and seventh and stem in texts else ""


def normal(code: str) -> str:
    """A code in capitals without its point, as `E1122`; empty when it cannot be one."""
    upper = code.strip().upper()
    return upper.replace(".", "") if _CODE.fullmatch(upper) else ""


def _prefixes(code: str) -> tuple[str, ...]:
    return tuple(code[:length] for length in range(len(code), 2, -1))


@cache
def _book() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Descriptions by code, and the seventh characters that a code adds to those below it."""
    texts: dict[str, str] = {}
    sevenths: dict[str, dict[str, str]] = {}
    for _, element in ET.iterparse(_tabular()):  # noqa: S314 - see the import
        if element.tag != "diag":
            continue
        code = element.findtext("name", "").replace(".", "")
        texts[code] = element.findtext("desc", "")
        extensions = element.iterfind("sevenChrDef/extension")
        if characters := {extension.get("char", ""): extension.text or "" for extension in extensions}:
            sevenths[code] = characters
        element.clear()
    return texts, sevenths


def _tabular() -> Path:
    package = find_spec("simple_icd_10_cm")  # the package itself is not imported
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the package simple-icd-10-cm is not installed")
    (book,) = Path(package.submodule_search_locations[0], "data").glob("icd10c-tabular-*.xml")
    return book
