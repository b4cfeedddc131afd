"""Whatever is left: a word of meaning that no typed check explains must stand in a cited fact."""

from grounding.checks.context import Context, unsupported
from grounding.cited import Cited
from grounding.claims import Claim
from grounding.mentions import Sentence, WordMention
from grounding.vocabulary import stem


def check(context: Context) -> list[Claim]:
    """Only refusals: a known word alone supports nothing, since an order of known words can still be false."""
    found = unknown(context.sentence, context.cited)
    return [unsupported(each, "term", "this word is in no cited fact") for each in found]


def unknown(sentence: Sentence, cited: Cited) -> list[WordMention]:
    """Words of meaning that are in no cited fact."""
    words = [each for each in sentence.mentions if isinstance(each, WordMention)]
    return [each for each in words if stem(each.text) not in cited.words]
