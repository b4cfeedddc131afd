"""Where clusters of several identifiers are one: those of a person's numbers of one authority that share a group.

Each identifier keeps clusters of its own (clusters.py), so that numbers which part again have theirs back. What meets
is derived, for the persons of a batch alone, and only where somebody has several such numbers, or had until the links
of the batch: those that then meet or part are made again in its transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

from memory.adapters.postgres import identity
from memory.adapters.postgres.clusters import Clusters, Joined, before_of
from memory.adapters.postgres.facts import Row
from memory.domain.identity import Identifier

Persons = Mapping[Identifier, frozenset[Identifier]]

# Clusters in which a group has the name of one of another number of the same person.
_SHARED = """WITH kin AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS kin(identifier_no, person))
SELECT DISTINCT ours.cluster_no FROM kin AS one JOIN fact_group ours USING (identifier_no) WHERE EXISTS (
    SELECT FROM kin AS other JOIN fact_group theirs USING (identifier_no)
    WHERE other.person = one.person AND other.identifier_no <> one.identifier_no AND theirs.name = ours.name)"""
# From some clusters to all groups of those, to the clusters in which the person's numbers have such groups, and so on.
_MET = """WITH RECURSIVE kin AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS kin(identifier_no, person)),
met(cluster_no) AS (
    SELECT unnest(%s::bigint[])
    UNION
    SELECT theirs.cluster_no FROM met JOIN fact_group ours USING (cluster_no)
    JOIN kin AS one ON one.identifier_no = ours.identifier_no JOIN kin AS other ON other.person = one.person
    JOIN fact_group theirs ON theirs.identifier_no = other.identifier_no AND theirs.name = ours.name
)
SELECT person, name, cluster_no FROM met JOIN fact_group USING (cluster_no) JOIN kin USING (identifier_no)"""


@dataclass(frozen=True, slots=True)
class Kin:
    """Identifiers whose clusters meet, or met before: their numbers.

    `person`: by its number, who an identifier is now. `changed`: the same of those who were somebody else before, with
    whom they were one or are now.
    """

    number: Mapping[Identifier, int] = field(default_factory=dict)
    person: Mapping[int, int] = field(default_factory=dict)
    changed: Mapping[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.person)


async def kin(conn: AsyncConnection[Any], before: Persons, after: Persons) -> Kin:
    """Of everyone in a batch, those with several numbers of one authority; before its links and after them."""
    together = {one: _peers(one, after) for one in before if len(before[one] | after[one]) > 1}
    changed = {one for one in together if _peers(one, before) != together[one]}
    concerned = {one: peers for one, peers in together.items() if len(peers) > 1 or one in changed}
    if not concerned:
        return Kin()
    number = await identity.numbers(conn, concerned)
    ever = Joined()
    for one in changed:
        for other in together[one] | _peers(one, before):
            ever.join(number[one], number[other])
    person = {number[one]: min(number[peer] for peer in peers) for one, peers in concerned.items()}
    roots = {number[one]: ever.root(number[one]) for one in changed}
    return Kin(number, person, {one: root for one, root in roots.items() if isinstance(root, int)})


def _peers(one: Identifier, persons: Persons) -> frozenset[Identifier]:
    return frozenset(other for other in persons[one] if other.authority == one.authority)


async def meet(conn: AsyncConnection[Any], own: Clusters, rows: Iterable[Row], kin_: Kin) -> Clusters:
    """The clusters of a batch as they meet with those of other identifiers. The caller has the persons' locks."""
    if not kin_:
        return own
    seeds = {own.number.get(row.statement.fact.fact_id) for row in rows if row.identifier_no in kin_.person} - {None}
    changed = await _shared(conn, kin_.changed)
    sets = {min(numbers): numbers for numbers in await _met(conn, kin_.person, {*seeds, *changed})}
    meeting = {number: one for one, numbers in sets.items() for number in numbers}
    before = {number: each for number, each in own.before.items() if number not in meeting}
    remade = {one: numbers for one, numbers in sets.items() if numbers & changed}
    return Clusters(own.number, before | await before_of(conn, sets), meeting, remade)


async def _shared(conn: AsyncConnection[Any], changed: Mapping[int, int]) -> set[int]:
    if not changed:
        return set()
    rows = await (await conn.execute(_SHARED, (list(changed), list(changed.values())))).fetchall()
    return {number for (number,) in rows}


async def _met(conn: AsyncConnection[Any], person: Mapping[int, int], seeds: Iterable[Any]) -> list[frozenset[int]]:
    asked = (list(person), list(person.values()), list(seeds))
    joined = Joined()
    numbers: set[int] = set()
    for who, name, number in await (await conn.execute(_MET, asked)).fetchall():
        joined.join((who, name), number)
        numbers.add(number)
    sets: dict[object, set[int]] = defaultdict(set)
    for number in numbers:
        sets[joined.root(number)].add(number)
    return [frozenset(each) for each in sets.values()]
