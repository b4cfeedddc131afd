"""Words with a role in checking: cues, and neutral words that assert nothing by themselves.

The neutral list is closed on purpose. A word that is neither here, nor a cue, nor in a cited source makes its sentence
unsupported: inventing a new fact needs a new word, and the new word is seen.
"""

import re

from grounding.mentions import Cue

CUES: dict[Cue, tuple[str, ...]] = {
    Cue.NEGATION: (
        "no evidence of", "no sign of", "no signs of", "negative for", "ruled out", "free of", "absence of",
        "denies", "denied", "without", "neither", "never", "not", "nor", "no", "isn't", "wasn't", "doesn't", "none",
        "absent", "lacks",
    ),
    Cue.LEFT: ("left-sided", "left"),
    Cue.RIGHT: ("right-sided", "right"),
    Cue.BILATERAL: ("bilaterally", "bilateral", "both sides"),
    Cue.FAMILY: (
        "family history", "family", "mother", "father", "sister", "brother", "aunt", "uncle", "grandmother",
        "grandfather", "maternal", "paternal", "daughter", "son", "cousin", "mother's", "father's",
    ),
    Cue.RISE: (
        "rose", "risen", "rises", "rising", "increased", "increases", "increasing", "increase", "climbed", "went up",
    ),
    Cue.FALL: (
        "fell", "fallen", "falls", "falling", "decreased", "decreases", "decreasing", "decrease", "declined",
        "declines", "declining", "decline", "dropped", "went down",
    ),
    Cue.STEADY: ("stayed about the same", "remained stable", "stable", "unchanged", "steady"),
    Cue.HIGH: ("above the reference range", "elevated", "raised", "high"),
    Cue.LOW: ("below the reference range", "low", "reduced"),
    Cue.NORMAL: ("within the reference range", "normal"),
    Cue.ACTIVE: ("active", "currently", "current", "continues", "continued", "takes", "taking", "ongoing"),
    Cue.ENDED: ("stopped", "discontinued", "resolved", "former", "formerly", "withdrawn", "ended", "no longer"),
    Cue.ORDERED: ("ordered", "order"),
    Cue.ON_HOLD: ("on hold",),
    Cue.UNRENEWED: ("not renewed", "not been renewed"),
    Cue.UNDATED: ("start not stated", "onset not stated", "time not stated", "no start stated"),
    Cue.SCOPE_END: ("but", "however", "although", "except", "while", "whereas", "yet"),
    Cue.RECORD: ("in the record", "on record", "recorded", "on file"),
}  # fmt: skip

CUE_OF: dict[str, Cue] = {word: cue for cue, words in CUES.items() for word in words}
# Cues after the name that they negate.
NEGATES_BEFORE = frozenset({"ruled out", "absent", "not", "negative"})

# Bare verbs of doing: said of what was done they have another form (`ordered`, `was stopped`).
DOING = (
    "add", "administer", "avoid", "begin", "change", "continue", "decrease", "discontinue", "give", "hold", "increase",
    "order", "prescribe", "reduce", "release", "repeat", "replace", "resume", "sign", "start", "stop", "switch", "take",
    "use", "withhold",
)  # fmt: skip

_NEUTRAL = """
    a about above according across add admission admitted after again against age aged ago all allergic allergies
    allergy along alongside also although an and any applies are around as ask at average avoid based be because
    been before being belong belongs below between blood both by call can category change changed changes check
    checked clarify class classified clinician code combination combined compare compared comparison computed
    comment comments concept confidence confident confirm confirmed conflict conflicts consider considered consultation
    continuing
    contradict contradictory contradicts correct corrected correction creatinine-based critical date dated dates day
    days decide decides decision degree diagnosis discharge discharged disease document documented does dose doses
    drug drugs each earlier either encounter encounters entered entries entry equation estimate estimated ever
    evidence film films finding findings first fit fits following for found from function further given guidance had
    has have he her here hers him his history hold holding holds how if image images in interval into is it its
    itself kidney kind known lab laboratory last later latest least less let letter level levels list listed look
    made may mean measure measured measurement measurements medication medications medicine medicines message messages
    month months more most much must name named need needs network new newest newly next note noted notes notify now
    obtained of old on once one open or other our over page patient patients per person physician please point
    previous previously prior probability problem problems promptly proposal question reaction read reading reassess
    recent recently record records reference renal repeat replaced replaces report reported result results review
    reviewed reviews rule said same saw scanned searched see seen sent series several she shown shows since
    source sources stage started starting state stated statement states status still such summary taken test tests
    than that the their them then there these they this those time timeline to today together total under until
    up urgent urgently use used uses using value values versus via visit visits was week weeks were what when where
    whether which who whole whom will with within would year years yes you your
"""
NEUTRAL = frozenset(_NEUTRAL.split())

_SUFFIXES = ("ies", "es", "s", "ed", "ing")


def stem(word: str) -> str:
    """A crude stem, enough to let a plural meet its singular; never joins words of different meaning on purpose."""
    lower = word.lower()
    for suffix in _SUFFIXES:
        if lower.endswith(suffix) and len(lower) - len(suffix) >= 4:
            return lower[: -len(suffix)] + ("y" if suffix == "ies" else "")
    return lower


WORD = re.compile(r"[^\W\d_][\w'’\-]*")


def words(text: str) -> frozenset[str]:
    """Stems of all words of a text."""
    return frozenset(stem(match.group()) for match in WORD.finditer(text))
