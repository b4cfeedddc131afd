"""Whatever is left: a word of meaning that no typed check explains must stand in a cited fact."""

from grounding.checks.context import Context, unsupported
from grounding.claims import Claim
from grounding.mentions import WordMention
from grounding.vocabulary import stem


def check(context: Context) -> list[Claim]:
    """Only refusals: a known word alone supports nothing, since an order of known words can still be false."""
    return [
        unsupported(each, "term", "this word is in no cited fact")
        for each in context.sentence.mentions
        if isinstance(each, WordMention) and stem(each.text) not in context.cited.words
    ]
