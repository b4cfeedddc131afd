"""Results that come without LOINC: local codes and printed names read as observables.

Guarantee: a local name is read only in a unit that the observable's results come in, and never when the name or a text
beside it mentions another specimen.
"""

import re
from collections.abc import Sequence
from functools import cache

from terminology.names import named
from terminology.observables import Code, Observable, by_loinc, plain
from terminology.specimens import Specimen, specimen, specimen_in, without_blood
from terminology.tables import read

_COLUMNS = ("alias", "loinc", "source")
_IN_BRACKETS = re.compile(r"\[[^\]]*\]?")


def by_local(text: str, unit: str, beside: Sequence[str] = (), within: Sequence[str] = ()) -> Code | None:
    """The code that a local result code or printed name stands for, or None.

    `beside`: the other texts of the same element; one that names another observable or qualifies this one refuses it.
    `within`: what order and specimen say; another specimen, or what qualifies this observable (`Ionised calcium` over
    `Calcium`), refuses it.
    """
    code = by_name(text)
    if code is None or not code.accepts(unit):
        return None
    fits = all(_fits(specimen_in(each), code.observable) for each in (*beside, *within))
    means = all(_means(each, code.observable) for each in beside)
    return code if fits and means and not any(_qualifies(each, code.observable) for each in within) else None


def is_qualified(text: str) -> bool:
    """Whether a text has a word that makes what it names another observable than the plain one."""
    return bool(_qualifiers() & set(plain(text).split()))


def by_name(text: str) -> Code | None:
    """As `by_local`, without a unit to go by: for pages that print names; the specimen still has to fit."""
    bare = without_blood(_IN_BRACKETS.sub(" ", text))
    loinc = next((loinc for name in (text, bare) if (loinc := _aliases().get(_plain(name)))), None)
    code = by_loinc(loinc) if loinc else None
    return code if code is not None and _fits(specimen_in(text), code.observable) else None


def _means(text: str, known: Observable) -> bool:
    """Whether a text can be about this observable: it names no other one and has no word that makes it another."""
    meant = named(without_blood(_IN_BRACKETS.sub(" ", text)))
    return (not meant or known in meant) and not _qualifiers_of(text, known)


def _qualifies(text: str, known: Observable) -> bool:
    """Whether a text names an observable beside a word that makes it another (`Ionised calcium`, `Birth weight`)."""
    qualifiers, words = _qualifiers_of(text, known), plain(text).split()
    for name in map(str.split, map(plain, (known.short, *known.names))) if qualifiers else ():
        for start in range(len(words) - len(name) + 1):
            end = start + len(name)
            if words[start:end] == name and qualifiers & {*words[max(start - 1, 0) : start], *words[end : end + 1]}:
                return True
    return False


def _qualifiers_of(text: str, known: Observable) -> frozenset[str]:
    own = {word for name in (known.name, known.short, *known.names) for word in plain(name).split()}
    return (_qualifiers() & set(plain(text).split())) - own


def _fits(mentioned: Specimen | None, known: Observable) -> bool:
    own = specimen(known.specimen)
    if mentioned is None:
        return True
    return own is None or own.is_blood if mentioned.is_blood else own == mentioned


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.upper())


@cache
def _aliases() -> dict[str, str]:
    return {row["alias"]: row["loinc"] for row in read("local_codes", _COLUMNS)}


@cache
def _qualifiers() -> frozenset[str]:
    return frozenset(row["word"] for row in read("qualifiers", ("word", "because", "source")))
