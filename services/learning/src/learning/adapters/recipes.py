"""Trainers by name: entry points of the group `training.recipes`, loaded only in the trainer's own process."""

from importlib.metadata import entry_points

from contracts.errors import PermanentError

from learning.domain.training import Trainer

GROUP = "training.recipes"


class RecipeMissingError(PermanentError):
    """No installed package has a recipe of this name, or it cannot be loaded."""

    kind = "recipe-missing"


def load(recipe: str) -> Trainer:
    """The trainer that the entry point makes when it is called."""
    known = entry_points(group=GROUP)
    if recipe not in known.names:
        names = ", ".join(sorted(known.names)) or "none"
        raise RecipeMissingError(f"no installed package has an entry point {GROUP}:{recipe}; there are: {names}")
    try:
        make = known[recipe].load()
    except (ImportError, AttributeError) as error:
        raise RecipeMissingError(f"{GROUP}:{recipe} cannot be loaded ({type(error).__name__})") from error
    trainer: Trainer = make()
    return trainer
