"""Going on from what is open gives what replaying everything gives."""

from collections.abc import Callable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import RecordedFact
from memory.domain.timeline import Chain, Entry, StatedFact, fates, lives, resumed

Build = Callable[..., Any]
DRAWN = st.fixed_dictionaries(
    {
        "day": st.integers(0, 9),
        "thing": st.sampled_from(("a/", "a/1", "b/")),
        "kind": st.sampled_from(
            (cf.FACT_KIND_RESULT, cf.FACT_KIND_MEDICATION, cf.FACT_KIND_ALLERGY, cf.FACT_KIND_PROCEDURE)
        ),
        "status": st.sampled_from(cf.FactStatus.values()),
        "since": st.sampled_from((None, 0, 1)),
        "until": st.sampled_from((None, 8)),
        "part": st.sampled_from(("", "x")),
        "whole": st.sampled_from((False, False, False, True)),
        "named": st.booleans(),
    }
)
RESTATED = [
    {"day": day, "thing": "a/", "kind": cf.FACT_KIND_ALLERGY, "status": cf.FACT_STATUS_ACTIVE, "since": None}
    | {"until": None, "part": "", "whole": False, "named": True}
    for day in (1, 2, 5)
]


def stated(build: Build, statement: Build, n: int, drawn: dict[str, Any]) -> StatedFact:
    names = () if drawn["whole"] and not drawn["named"] else (drawn["thing"],)
    built = build(
        fact_id=f"f{n}",
        source=cf.SourcePointer(event_id=f"m{n // 2}-{drawn['day']}"),
        identity=cf.Identity(groups=["filler:F"], names=names, part=drawn["part"], whole_group=drawn["whole"]),
        **{name: drawn[name] for name in ("kind", "status", "since", "until")},
    )
    made: StatedFact = statement(built, drawn["day"], n=n, recorded=drawn["day"] + n / 100)
    return made


def kept(chain: Chain, entries: list[Entry]) -> Chain:
    """What a database keeps of a chain: the facts in the words of the API, since when, and the first of its last."""
    views = [RecordedFact.FromString(entry.recorded().SerializeToString()) for entry in entries]
    read = [
        Entry(StatedFact(view.fact, *_moments(entry.statement)), view.fact, entry.since, tuple(view.carried_from))
        for view, entry in zip(views, entries, strict=True)
    ]
    return resumed(chain.last.facts[0], chain.identity, read, chain.first_stated)


def _moments(statement: StatedFact) -> tuple[Any, ...]:
    return statement.stated_at, statement.received_at, statement.ordinal, statement.recorded_at


@given(st.lists(DRAWN, min_size=2, max_size=12), st.integers(1, 9))
@example(RESTATED, 4)
def test_what_came_later_changes_only_what_was_open(
    fact: Build, statement: Build, everything: list[dict[str, Any]], moment: int
) -> None:
    statements = [stated(fact, statement, n, each) for n, each in enumerate(everything)]
    parts: tuple[list[StatedFact], list[StatedFact]] = ([], [])
    for one, drawn in zip(statements, everything, strict=True):
        parts[drawn["day"] >= moment].append(one)
    first, later = parts
    lived = lives(first)
    chains = {id(chain): chain for _, chain in lived if chain is not None}
    before = [
        kept(chain, [entry for entry, of in lived if of is chain])
        for chain in sorted(chains.values(), key=lambda chain: chain.last.order)
    ]
    closed = [entry for entry, chain in lived if chain is None]
    gone_on = [*closed, *(entry for entry, _ in lives(later, before))]
    assert texts(gone_on) == texts(fates(statements))


@given(st.lists(DRAWN, min_size=1, max_size=6), st.sampled_from((0, 100, 128, 16_384, 70_000)))
def test_the_bytes_of_an_entry_are_those_of_its_words(
    fact: Build, statement: Build, everything: list[dict[str, Any]], length: int
) -> None:
    statements = [stated(fact, statement, n, each) for n, each in enumerate(everything)]
    for one in statements:
        one.fact.note = "n" * length
    for entry in fates(statements):
        assert entry.view() == entry.recorded().SerializeToString(deterministic=True)


def texts(entries: list[Entry]) -> list[tuple[str, str]]:
    return sorted((str(entry.recorded()), str(entry.since)) for entry in entries)
