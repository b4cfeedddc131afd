"""Who may do what to the evidence library, by who calls."""

from contracts.errors import DeniedError
from servicekit.principal import Person, Principal

from memory.domain.releases import Who

PHYSICIAN = "physician"


def importer(principal: Principal) -> Who:
    """DeniedError unless a person calls."""
    if principal.person is None:
        raise DeniedError("evidence is imported by a person, not by a process")
    return _who(principal.person)


def physician(principal: Principal) -> Who:
    """DeniedError unless a physician calls."""
    if principal.person is None or PHYSICIAN not in principal.person.roles:
        raise DeniedError("evidence is released and withdrawn by a physician")
    return _who(principal.person)


def person(principal: Principal) -> Person:
    """DeniedError unless a person calls."""
    if principal.person is None:
        raise DeniedError("a record is opened by a person, not by a process")
    return principal.person


def _who(person: Person) -> Who:
    return Who(person.issuer, person.subject, person.name or person.subject)
