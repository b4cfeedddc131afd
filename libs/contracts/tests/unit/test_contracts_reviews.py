"""What a physician signed is what is verified: person, role, time, and every byte of assessment and review."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contracts import reviews
from contracts.reviews import ReviewSignatureError
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest
from longitude.reasoning.v1.signature_pb2 import ReviewSignature
from native_stack.people import PEOPLE, SigningKeys, Tokens

ASSESSMENT = b"the bytes of an assessment"
ISSUER = "http://127.0.0.1:1"


class Person:
    """Who is signed in."""

    def __init__(self, keys: SigningKeys, name: str = "physician") -> None:
        self.key = reviews.new_key()
        self.token = Tokens(keys, ISSUER).of(PEOPLE[name], key=reviews.public(self.key))["key_token"]
        self.about: dict[str, Any] = json.loads(reviews._decoded(self.token.split(".")[1]))

    def sign(self, **changed: object) -> ReviewSignature:
        signed = request()
        reviews.sign(signed, ASSESSMENT, self.key, self.token, self.about | changed)
        return signed.signature


def request() -> ReviewRequest:
    edited = wire.ReviewedStatement(statement_id="s1", decision=wire.REVIEW_DECISION_EDITED, text="new", comment="why")
    asked = ReviewRequest(assessment_id="a1", reviewer="NWD17", decision=wire.REVIEW_DECISION_EDITED)
    asked.statements.append(edited)
    return asked


@pytest.fixture
def issuer(tmp_path: Path) -> SigningKeys:
    return SigningKeys(tmp_path / "keys.json")


def keys(issuer: SigningKeys) -> KeySet:
    return reviews.key_set(json.dumps(issuer.published()))


def forged(person: Person, **changed: object) -> ReviewSignature:
    """By the person's key, with claims changed."""
    signature = person.sign()
    said = json.loads(reviews._decoded(signature.jws.split(".")[1])) | changed
    signature.jws = jwt.encode({"typ": reviews.REVIEW, "alg": "ES256"}, said, person.key, ["ES256"])
    return signature


def test_a_signature_says_who_in_which_role_when_and_over_what(issuer: SigningKeys) -> None:
    signed = reviews.verify(Person(issuer).sign(), ASSESSMENT, keys(issuer))
    assert (signed.issuer, signed.subject, signed.name) == (ISSUER, "physician", PEOPLE["physician"].name)
    assert (signed.role, signed.assessment_id, signed.review) == ("physician", "a1", request())
    assert abs(signed.at.timestamp() - time.time()) < 60


def test_an_altered_assessment_or_review_is_noticed(issuer: SigningKeys) -> None:
    signature = Person(issuer).sign()
    with pytest.raises(ReviewSignatureError, match="the assessment is not the one"):
        reviews.verify(signature, ASSESSMENT + b" ", keys(issuer))
    asked = request()
    asked.statements[0].text = "newer"
    signature.review = asked.SerializeToString(deterministic=True)
    with pytest.raises(ReviewSignatureError, match="the review is not the one"):
        reviews.verify(signature, ASSESSMENT, keys(issuer))


def test_nobody_signs_for_somebody_else(issuer: SigningKeys) -> None:
    """With an own key under another's word, with claims of another, with the word of another issuer."""
    ada, ben = Person(issuer), Person(issuer, "consultant")
    signature = ben.sign()
    signature.key_token = ada.token
    with pytest.raises(ReviewSignatureError, match="the person's signature does not hold"):
        reviews.verify(signature, ASSESSMENT, keys(issuer))
    for changed in ({"sub": "physician"}, {"name": "Dr. Ada Lindqvist"}, {"iss": "http://127.0.0.1:2"}):
        with pytest.raises(ReviewSignatureError, match="somebody or something else"):
            reviews.verify(ben.sign(**changed), ASSESSMENT, keys(issuer))


def test_a_key_that_the_issuer_did_not_certify_signs_nothing(issuer: SigningKeys, tmp_path: Path) -> None:
    stranger = SigningKeys(tmp_path / "other.json")
    with pytest.raises(ReviewSignatureError, match="the issuer's word for the key does not hold"):
        reviews.verify(Person(stranger).sign(), ASSESSMENT, keys(issuer))


@pytest.mark.parametrize("name", ["nurse", "auditor", "engineer"])
def test_who_is_no_physician_signs_nothing(issuer: SigningKeys, name: str) -> None:
    with pytest.raises(ReviewSignatureError, match="no physician"):
        reviews.verify(Person(issuer, name).sign(), ASSESSMENT, keys(issuer))


@pytest.mark.parametrize("seconds", [-3600, 2 * 3600])
def test_a_key_signs_only_while_it_is_certified(issuer: SigningKeys, seconds: int) -> None:
    with pytest.raises(ReviewSignatureError, match="not the person's when it signed"):
        reviews.verify(forged(Person(issuer), iat=int(time.time()) + seconds), ASSESSMENT, keys(issuer))


@pytest.mark.parametrize(
    "changed",
    [{"role": "nurse"}, {"iat": "now"}, {"assessment": "a1"}, {"review": {}}, {"assessment": {"id": "a1"}}],
)
def test_a_signature_that_says_something_else_does_not_hold(issuer: SigningKeys, changed: dict[str, object]) -> None:
    with pytest.raises(ReviewSignatureError):
        reviews.verify(forged(Person(issuer), **changed), ASSESSMENT, keys(issuer))


@pytest.mark.parametrize("kind", ["at+jwt", "JWT"])
def test_tokens_of_another_kind_are_no_word_and_no_signature(issuer: SigningKeys, kind: str) -> None:
    person = Person(issuer)
    signature = person.sign()
    signature.key_token = issuer.sign(person.about, kind)
    with pytest.raises(ReviewSignatureError, match="another kind"):
        reviews.verify(signature, ASSESSMENT, keys(issuer))


def test_a_key_that_stays_published_verifies_what_an_older_one_signed(issuer: SigningKeys) -> None:
    signature = Person(issuer).sign()
    issuer.rotate()
    assert reviews.verify(signature, ASSESSMENT, keys(issuer)).subject == "physician"


def stored() -> AssessmentReviewed:
    """What the service makes of the request."""
    made = AssessmentReviewed(assessment_id="a1", reviewer="NWD17", decision=wire.REVIEW_DECISION_EDITED)
    edited = wire.ReviewedStatement(statement_id="s1", decision=wire.REVIEW_DECISION_EDITED, text="new", comment="why")
    rest = wire.ReviewedStatement(statement_id="s2", decision=wire.REVIEW_DECISION_ACCEPTED, original="kept")
    made.statements.extend([edited, rest])
    return made


def _decide(review: AssessmentReviewed) -> None:
    review.decision = wire.REVIEW_DECISION_ACCEPTED


def _reword(review: AssessmentReviewed) -> None:
    review.statements[0].text = "newer"


def _comment(review: AssessmentReviewed) -> None:
    review.statements[0].comment = ""


def _refuse_the_rest(review: AssessmentReviewed) -> None:
    review.statements[1].decision = wire.REVIEW_DECISION_REJECTED


def _leave_out(review: AssessmentReviewed) -> None:
    del review.statements[0]


def _rename(review: AssessmentReviewed) -> None:
    review.reviewer = "somebody"


@pytest.mark.parametrize("alter", [_decide, _reword, _comment, _refuse_the_rest, _leave_out, _rename])
def test_a_stored_review_that_says_something_else_is_noticed(
    issuer: SigningKeys, alter: Callable[[AssessmentReviewed], None]
) -> None:
    signed, review = reviews.verify(Person(issuer).sign(), ASSESSMENT, keys(issuer)), stored()
    reviews.check_reviewed(signed, review)
    alter(review)
    with pytest.raises(ReviewSignatureError):
        reviews.check_reviewed(signed, review)


def test_a_proof_is_of_one_key_for_one_place_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    key, url = reviews.new_key(), f"{ISSUER}/token"
    text = reviews.proof(key, url)
    assert reviews.proven(text, url)[0] == reviews.public(key)
    header = {"typ": reviews.PROOF, "alg": "ES256", "jwk": reviews.public(ECKey.generate_key("P-256"))}
    said = {"htm": "POST", "htu": url, "iat": int(time.time()), "jti": "1"}
    others_key = jwt.encode(header, said, key, ["ES256"])
    for wrong, place in ((text, f"{ISSUER}/elsewhere"), (others_key, url), ("", url), (f"{text}a", url)):
        with pytest.raises(ValueError, match="proof"):
            reviews.proven(wrong, place)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * reviews.SKEW_S)
    with pytest.raises(ValueError, match="another time"):
        reviews.proven(text, url)
