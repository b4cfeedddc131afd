"""What the scopes of a token open (SMART App Launch 2.0, section 3.0.1). They only narrow what the person's role opens.

A token without any scope of this form is not narrowed. A scope with a query of its own opens nothing: it means less
than the door could hold it to. A scope of `patient/` opens the one patient that the token names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.errors import DeniedError

_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Za-z]+)\.(read|write|\*|(?=.)c?r?u?d?s?)(\?.*)?")
_LETTERS = {"read": "rs", "write": "", "*": "rs"}


@dataclass(frozen=True, slots=True)
class Grant:
    """`scopes`: level, type and letters of each; None: not narrowed. `patient`: the logical id that the token names."""

    scopes: tuple[tuple[str, str, str], ...] | None = None
    patient: str = ""

    @classmethod
    def of(cls, scopes: Iterable[str], patient: str) -> "Grant":
        matches = [match for scope in scopes if (match := _SCOPE.fullmatch(scope))]
        if not matches:
            return cls()
        plain = [match.groups() for match in matches if not match[4]]
        return cls(tuple((level, kind, _LETTERS.get(rights, rights)) for level, kind, rights, _ in plain), patient)

    def opens(self, kind: str, right: str, patients: Iterable[str]) -> bool:
        """Whether a type may be read (`r`) or searched (`s`); `patients`: the logical ids of whom it is of."""
        return self.scopes is None or any(
            of in {"*", kind} and right in letters and (level != "patient" or self.patient in set(patients) - {""})
            for level, of, letters in self.scopes
        )

    def check(self, kind: str, right: str, patients: Iterable[str]) -> None:
        """DeniedError where it does not."""
        if not self.opens(kind, right, patients):
            raise DeniedError(f"the scopes of the token do not open {kind} of this patient")
