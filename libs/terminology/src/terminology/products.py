"""Codes of products: RxNorm drugs, packs and brand names, and the FDA's National Drug Codes, to names of ingredients.

Guarantee: a code is known by the tables or not at all; a code of ten digits without dashes, which may be read in three
ways, is known only when all readings that are known agree.
"""

from collections.abc import Iterator
from functools import cache

from terminology import tables


@cache
def rxnorm() -> dict[str, tuple[str, ...]]:
    """Ingredients of the RxNorm codes that are not ingredients themselves."""
    rows = tables.read("products", ("code", "ingredients", "source"))
    return {row["code"]: row.several("ingredients") for row in rows}


def ndc(code: str) -> tuple[str, ...]:
    """Ingredients of a National Drug Code with or without its package, in any of its written forms."""
    known = {_ndc()[product] for product in _readings(code.strip()) if product in _ndc()}
    return known.pop() if len(known) == 1 else ()


@cache
def _ndc() -> dict[str, tuple[str, ...]]:
    rows = tables.read("ndc", ("ingredients", "products", "source"))
    return {product: row.several("ingredients") for row in rows for product in row.several("products")}


def _readings(code: str) -> Iterator[str]:
    """Labeler and product, nine digits in one, that a code may mean."""
    labeler, *rest = code.split("-")
    if rest and all(part.isdigit() for part in (labeler, *rest)):
        yield labeler[-5:].zfill(5) + rest[0].zfill(4)
    elif code.isdigit() and len(code) == len("55555444422"):
        yield code[:9]
    elif code.isdigit() and len(code) == len("5555444422"):
        yield from ("0" + code[:8], code[:5] + "0" + code[5:8], code[:9])
