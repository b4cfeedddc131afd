"""MemoryService over gRPC: reads of the record and the library, and the commands of the library.

Error texts never repeat what was asked: an identifier names a person.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from consult import times
from consult.context.ranking import ELEMENTS, Question
from consult.context.tokens import TokenCounter
from contracts.errors import InvalidInputError, UnavailableError
from contracts.packages import PackageError
from google.protobuf.message import Message
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceServicer
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT, PatientKey
from servicekit import looks
from servicekit.principal import caller

from memory import views
from memory.adapters.postgres import Store
from memory.adapters.postgres.views import current
from memory.domain import coverage
from memory.domain.finding import Wanted as WantedFacts
from memory.domain.identity import Identifier
from memory.domain.opening import TREAT, Wanted, purpose
from memory.domain.passages import PassageError
from memory.domain.sensitive import ALL, names
from memory.flows import callers, finding, notes, timeline
from memory.flows.gathering import Gatherer
from memory.flows.library import Library
from memory.flows.openings import Openings
from memory.flows.search import Search

LONGEST_QUESTION = 2_000
LARGEST_BUDGET = 131_072
DEFAULT_LIMIT = 10
LARGEST_LIMIT = 100
MOST_PASSAGES = 1_000
DEFAULT_EDITIONS = 100
MOST_CONCEPTS = 1_000


class Rpc(MemoryServiceServicer):
    """Each method: check, read, answer."""

    def __init__(self, store: Store, search: Search, library: Library, openings: Openings, count: TokenCounter) -> None:
        self._store = store
        self._search = search
        self._library = library
        self._openings = openings
        self._gatherer = Gatherer(store, search, count)

    async def GetTimeline(self, request: pb.GetTimelineRequest, _: Any) -> pb.GetTimelineResponse:  # noqa: N802
        asked = timeline.Asked(
            valid_at=_time(request, "valid_at"),
            known_at=_time(request, "known_at"),
            kinds=request.kinds,
            superseded=request.include_superseded,
            size=_page_size(request.page_size),
            token=request.page_token,
        )
        page = await timeline.page(self._store, _identifier(request.patient), asked)
        answer = pb.GetTimelineResponse(facts=page.facts, next_page_token=page.next, view=_note(page.facts))
        answer.as_of.CopyFrom(times.stamp(page.as_of))
        if page.first:
            answer.identifiers.extend(views.identifiers(page.person))
            answer.contradictions.extend(map(views.contradiction, page.person.contradictions))
        return answer

    async def GetFact(self, request: pb.GetFactRequest, _: Any) -> pb.GetFactResponse:  # noqa: N802
        fact = await self._store.fact(request.fact_id)
        return pb.GetFactResponse(fact=fact, view=_note([fact]))

    async def GetIdentifiers(self, request: pb.GetIdentifiersRequest, _: Any) -> pb.GetIdentifiersResponse:  # noqa: N802
        person = await self._store.person(_identifier(request.patient))
        looks.note(shown=len(person.identifiers))
        return pb.GetIdentifiersResponse(identifiers=views.identifiers(person))

    async def GetNotes(self, request: pb.GetNotesRequest, _: Any) -> pb.GetNotesResponse:  # noqa: N802
        asked = timeline.Asked(
            known_at=_time(request, "known_at"), size=_page_size(request.page_size), token=request.page_token
        )
        page = await notes.page(self._store, _identifier(request.patient), asked)
        view = _shown([FACT_KIND_DOCUMENT], len(page.notes))
        return pb.GetNotesResponse(notes=page.notes, next_page_token=page.next, view=view)

    async def Find(self, request: pb.FindRequest, _: Any) -> pb.FindResponse:  # noqa: N802
        if request.words:
            _check_text("words", request.words)
        if len(request.concepts) > MOST_CONCEPTS:
            raise InvalidInputError(f"at most {MOST_CONCEPTS} concepts at a time")
        wanted = WantedFacts(
            words=request.words,
            concepts=request.concepts,
            kinds=request.kinds,
            form=request.form,
            since=_time(request, "since"),
            until=_time(request, "until"),
            statuses=request.statuses,
        )
        facts, token = await finding.page(
            self._store,
            _identifier(request.patient),
            wanted,
            _time(request, "known_at"),
            _page_size(request.page_size),
            request.page_token,
        )
        return pb.FindResponse(facts=facts, next_page_token=token, view=_note(facts))

    async def GetContext(self, request: pb.GetContextRequest, _: Any) -> pb.GetContextResponse:  # noqa: N802
        _check_text("question", request.question)
        if not 0 < request.token_budget <= LARGEST_BUDGET:
            raise InvalidInputError(f"token_budget must be 1 to {LARGEST_BUDGET}")
        known_at = _time(request, "known_at")
        moment = known_at or datetime.now(UTC)
        found = await self._gatherer.context(
            _identifier(request.patient), request.question, request.token_budget, moment, known_at
        )
        return pb.GetContextResponse(context=found, view=_note(found.facts))

    async def SearchNotes(self, request: pb.SearchNotesRequest, _: Any) -> pb.SearchNotesResponse:  # noqa: N802
        _check_text("query", request.query)
        limit = _limit(request.limit)
        person = await self._store.person(_identifier(request.patient))
        pending = await self._search.notes_pending(person)
        vector: Sequence[float] | None = None
        try:
            vector = await self._search.embed(request.query)
        except UnavailableError:
            # Words still find: all that is not seen by meaning is stated as pending.
            pending = await self._search.notes_size(person)
        found = await self._search.notes(person, request.query, vector, limit)
        view = _shown([FACT_KIND_DOCUMENT], len(found))
        return pb.SearchNotesResponse(hits=map(views.note_hit, found), pending=pending, view=view)

    async def SearchEvidence(self, request: pb.SearchEvidenceRequest, _: Any) -> pb.SearchEvidenceResponse:  # noqa: N802
        pico = {element: getattr(request, element) for element in ELEMENTS}
        question = Question(request.query, pico)
        _check_text("query", question.wording)
        limit = _limit(request.limit)
        pending = await self._search.evidence_pending()
        try:
            ranked = await self._search.evidence(question, await self._search.embed(question.wording), limit)
        except UnavailableError:
            # Words and concepts still find: all that is missing is stated as pending.
            pending = await self._search.evidence_size()
            ranked = await self._search.evidence(question, None, limit)
        hits = [pb.EvidenceHit(passage=one.passage, score=one.score) for one in ranked]
        return pb.SearchEvidenceResponse(hits=hits, pending=pending)

    async def LoadEvidence(self, request: pb.LoadEvidenceRequest, _: Any) -> pb.LoadEvidenceResponse:  # noqa: N802
        who = callers.importer(caller())
        if len(request.passages) > MOST_PASSAGES:
            raise InvalidInputError(f"at most {MOST_PASSAGES} passages at a time")
        manifest = request.manifest if request.HasField("manifest") else None
        try:
            imported = await self._library.load(
                list(request.passages), manifest, who, unsigned_local=request.unsigned_local
            )
        except (PassageError, PackageError) as error:
            raise InvalidInputError(str(error)) from error
        return pb.LoadEvidenceResponse(
            loaded=len(imported.editions),
            unchanged=len(request.passages) - len(imported.editions),
            edition_ids=[each.edition_id for each in imported.editions],
            conflicts=imported.conflicts,
        )

    async def ListEvidence(self, request: pb.ListEvidenceRequest, _: Any) -> pb.ListEvidenceResponse:  # noqa: N802
        size = request.page_size or DEFAULT_EDITIONS
        if size > MOST_PASSAGES:
            raise InvalidInputError(f"page_size must be at most {MOST_PASSAGES}")
        try:
            state = views.evidence_state(request.state)
        except KeyError:
            raise InvalidInputError("unknown state") from None
        seen = await self._library.page(state, request.page_token, size + 1)
        more = seen[size - 1].edition.edition_id if len(seen) > size else ""
        return pb.ListEvidenceResponse(editions=map(views.evidence_edition, seen[:size]), next_page_token=more)

    async def GetEvidence(self, request: pb.GetEvidenceRequest, _: Any) -> pb.GetEvidenceResponse:  # noqa: N802
        return pb.GetEvidenceResponse(edition=views.evidence_edition(await self._library.edition(request.edition_id)))

    async def ReleaseEvidence(  # noqa: N802
        self, request: pb.ReleaseEvidenceRequest, _: Any
    ) -> pb.ReleaseEvidenceResponse:
        who = callers.physician(caller())
        if not 0 < len(request.edition_ids) <= MOST_PASSAGES:
            raise InvalidInputError(f"edition_ids must be 1 to {MOST_PASSAGES}")
        seen = await self._library.approve(request.edition_ids, who, request.reason)
        return pb.ReleaseEvidenceResponse(editions=map(views.evidence_edition, seen))

    async def WithdrawEvidence(  # noqa: N802
        self, request: pb.WithdrawEvidenceRequest, _: Any
    ) -> pb.WithdrawEvidenceResponse:
        who = callers.physician(caller())
        seen = await self._library.withdraw(request.edition_id, who, request.reason)
        return pb.WithdrawEvidenceResponse(edition=views.evidence_edition(seen))

    async def GetEvidenceCoverage(  # noqa: N802
        self, request: pb.GetEvidenceCoverageRequest, _: Any
    ) -> pb.GetEvidenceCoverageResponse:
        library = await self._search.library()
        covered = coverage.coverage(await self._subjects(request), library)
        view = _shown({each.subject.kind for each in covered}, len(covered))
        subjects = map(views.evidence_subject, covered)
        return pb.GetEvidenceCoverageResponse(subjects=subjects, passages=len(library), view=view)

    async def _subjects(self, request: pb.GetEvidenceCoverageRequest) -> list[coverage.Subject]:
        if not request.HasField("patient"):
            return coverage.frequent()
        standing = await self._store.standing(_identifier(request.patient), None)
        return coverage.of_record((each.fact for each in standing.facts), datetime.now(UTC).date())

    async def OpenRecord(self, request: pb.OpenRecordRequest, _: Any) -> pb.OpenRecordResponse:  # noqa: N802
        by = callers.person(caller())
        wanted = Wanted(request.purpose or TREAT, request.categories, request.reason, request.minutes)
        kept = await self._openings.open(_identifier(request.patient), by, wanted)
        return pb.OpenRecordResponse(opening=views.opening(kept))

    async def EndOpening(self, request: pb.EndOpeningRequest, _: Any) -> pb.EndOpeningResponse:  # noqa: N802
        await self._openings.end(request.opening_id, callers.person(caller()))
        return pb.EndOpeningResponse()

    async def ListOpenings(self, request: pb.ListOpeningsRequest, _: Any) -> pb.ListOpeningsResponse:  # noqa: N802
        kept = await self._openings.some(callers.person(caller()), unreviewed=request.unreviewed)
        return pb.ListOpeningsResponse(openings=map(views.opening, kept))

    async def ReviewOpening(self, request: pb.ReviewOpeningRequest, _: Any) -> pb.ReviewOpeningResponse:  # noqa: N802
        by = callers.person(caller())
        await self._openings.review(request.opening_id, by, justified=request.justified, comment=request.comment)
        return pb.ReviewOpeningResponse()

    async def GetEditions(self, _: pb.GetEditionsRequest, context: Any) -> pb.GetEditionsResponse:  # noqa: ARG002, N802
        return pb.GetEditionsResponse(editions=map(views.edition, await self._store.editions()))


def _note(facts: Sequence[RecordedFact]) -> pb.View:
    return _shown({each.fact.kind for each in facts}, len(facts))


def _shown(kinds: Iterable[int], many: int) -> pb.View:
    """Say it of the look, and how much was left out of the caller, too."""
    seen = current()
    looks.note(kinds, many, seen.left_out)
    reason = "; ".join(one.reason for one in seen.openings)
    looks.because(purpose(seen.openings), reason, names(ALL & ~seen.closed))
    return views.view(seen)


def _identifier(key: PatientKey) -> Identifier:
    if not key.id:
        raise InvalidInputError("patient needs an id (PID-3.1) and its authority (PID-3.4)")
    return Identifier.of(key)


def _time(request: Message, field: str) -> datetime | None:
    try:
        return times.moment(request, field)
    except ValueError as error:
        raise InvalidInputError(f"{field} is not a time") from error


def _check_text(name: str, text: str) -> None:
    if not text.strip():
        raise InvalidInputError(f"{name} is empty")
    if len(text) > LONGEST_QUESTION:
        raise InvalidInputError(f"{name} is longer than {LONGEST_QUESTION} characters")


def _page_size(asked: int) -> int:
    if asked > timeline.LARGEST_PAGE:
        raise InvalidInputError(f"page_size must be at most {timeline.LARGEST_PAGE}")
    return asked or timeline.DEFAULT_PAGE


def _limit(asked: int) -> int:
    if asked > LARGEST_LIMIT:
        raise InvalidInputError(f"limit must be at most {LARGEST_LIMIT}")
    return asked or DEFAULT_LIMIT
