"""What allergic reactions and intolerances are called."""

from terminology import tables

# Lower case, the longest first: `anaphylactic shock` before shorter words that it begins with.
WORDS: tuple[str, ...] = tuple(
    sorted((row["words"] for row in tables.read("reactions", ("words", "source"))), key=len, reverse=True)
)
