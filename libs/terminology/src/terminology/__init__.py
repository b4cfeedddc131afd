"""What codes, names, units, drugs, allergens and problems mean: the only home of clinical vocabulary.

Data first: a meaning is a row of a table in `data/`, each row names its source, and the modules here only look rows up.
Guarantee: pure. Nothing is read but the package's own tables; a concept that no row knows is unknown, never guessed.
"""
