"""How the rows of medical knowledge, and the rules that stand on none, are named to others."""

# A row by its family and id, with its version where it speaks; a rule by its name.
ROWS, RULES = "urn:longitude:knowledge", "urn:longitude:rule"
# Where a concern names what it is of, before the name of a rule.
_RULE = "rules/"


def coding_of(row: str, version: int) -> dict[str, str]:
    """What a concern is of, as a coding."""
    of_rule = row.startswith(_RULE)
    system, code = (RULES, row.removeprefix(_RULE)) if of_rule else (ROWS, row)
    return {"system": system, "version": str(version), "code": code}
