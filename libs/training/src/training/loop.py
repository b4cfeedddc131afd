"""The training loop: groups in, an adapter out, a figure of everything, and an end with a name when it goes wrong.

Guarantees: the same recipe, seed and source give the same adapter, also after kill -9 at any moment; a step that is no
number changes nothing; a training that cannot learn, or that leaves the policy it began with too far behind, stops.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
from engine.llama import Llama
from torch import Tensor

from training import adapters, batches, checkpoints
from training.advantages import Weighing
from training.batches import Batch
from training.checkpoints import CheckpointError, Figures, State
from training.objectives import Objective, Sapo, Tokens, importance, k3
from training.pieces import Piece, pieces_of
from training.samples import Group


class TrainingError(Exception):
    """The training cannot go on; the text says why and with which figure."""


class NotFiniteError(TrainingError):
    """Several steps in a row had a loss or a gradient that is no finite number."""


class DivergedError(TrainingError):
    """The policy is further from the one that it began with than the recipe allows."""


class NothingToLearnError(TrainingError):
    """Several steps in a row had no group that could be learned from."""


class Source(Protocol):
    """Where groups come from. The same step with the same weights must give the same groups."""

    def groups(self, step: int) -> Sequence[Group]: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a training is done. `kl` weighs the divergence from the beginning in the loss."""

    objective: Objective = field(default_factory=Sapo)
    weighing: Weighing = field(default_factory=Weighing)
    steps: int = 100
    learning_rate: float = 1e-4
    warm_up: int = 10
    passes: int = 1  # of the optimiser over the groups of one step
    micro: int = 8  # rollouts of one forward
    clip: float = 1.0  # norm of the gradient
    cap: float = 2.0  # of the importance weights
    kl: float = 0.0
    kl_every: int = 1  # steps; 0: never
    kl_most: float = 1.0
    save_every: int = 10
    most_bad: int = 3
    most_idle: int = 10

    @property
    def name(self) -> str:
        """What must be equal to go on from a checkpoint; a training may be made longer."""
        return repr(replace(self, steps=0))


class Training:
    """One training of a network whose adapter was injected, with its state in `folder`."""

    def __init__(self, network: Llama, recipe: Recipe, folder: Path) -> None:
        self.network, self.recipe, self.folder = network, recipe, folder
        weights = list(adapters.tensors(network).values())
        self._optimiser = torch.optim.AdamW(weights, lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=0.0)
        self._weights = weights
        self.state = self._resumed() or self._begun()

    def run(
        self,
        source: Source,
        report: Callable[[Figures], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Figures]:
        """The curve, one entry a step, after all steps of the recipe or when it was `stopped`."""
        while self.state.step < self.recipe.steps and not stopped():
            figures = self.step(source.groups(self.state.step))
            report(figures)
            if self.state.step % self.recipe.save_every == 0:
                self.save()
        self.save()
        return self.state.curve

    def step(self, groups: Sequence[Group]) -> Figures:
        """One step; after it the version of the weights is one higher, also where they did not change."""
        batch = self._batch(groups)
        figures: Figures = {"step": float(self.state.step), **batch.figures}
        figures |= {f"groups_{reason}": float(number) for reason, number in sorted(batch.out.items())}
        figures["groups"] = float(len(batch.groups))
        figures |= self._learned(batch) if batch else self._idled(batch)
        self.state.step += 1
        self.state.curve.append(figures)
        return figures

    def save(self) -> None:
        state = self.state
        state.adapter, state.random = adapters.copied(self.network), torch.get_rng_state()
        state.optimiser = self._optimiser.state_dict()
        checkpoints.write(self.folder, state)

    def _begun(self) -> State:
        begun = adapters.copied(self.network)
        return State(self.recipe.name, 0, begun, begun, self._optimiser.state_dict(), torch.get_rng_state())

    def _resumed(self) -> State | None:
        state = checkpoints.newest(self.folder)
        if state is None:
            return None
        if state.recipe != self.recipe.name:
            raise CheckpointError(f"the checkpoint of step {state.step} was made by another recipe")
        adapters.put(self.network, state.adapter)
        self._optimiser.load_state_dict(state.optimiser)
        torch.set_rng_state(state.random)
        return state

    def _batch(self, groups: Sequence[Group]) -> Batch:
        if not self.recipe.objective.compares:
            return batches.imitated(groups)
        return batches.compared(groups, self.state.step, self.recipe.weighing)

    def _idled(self, batch: Batch) -> Figures:
        self.state.idle += 1
        if self.state.idle > self.recipe.most_idle:
            reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(batch.out.items())) or "none came"
            raise NothingToLearnError(
                f"{self.state.idle} steps in a row had no group to learn from; the last: {reasons}"
            )
        return {}

    def _learned(self, batch: Batch) -> Figures:
        self.state.idle = 0
        self.network.train()
        pieces = pieces_of(batch, self.recipe.micro, per_rollout=self.recipe.objective.per_rollout)
        self._refer(pieces)
        rate = self._warm()
        figures: Figures = {}
        for number in range(self.recipe.passes):
            own = self._pass(pieces)
            figures = figures or own  # of the first pass: the others are already off the policy
            if number == 0:
                self._check_divergence(own)
            if not self._moved(own):
                break
        return figures | {"learning_rate": rate}

    def _refer(self, pieces: Sequence[Piece]) -> None:
        """What the policy that training began with says of the same tokens; who imitates is meant to leave it."""
        every = 1 if self.recipe.kl else self.recipe.kl_every * self.recipe.objective.compares
        if every and self.state.step % every == 0:
            with adapters.swapped(self.network, self.state.reference):
                for piece in pieces:
                    piece.reference = piece.scored(self.network)

    def _warm(self) -> float:
        rate = self.recipe.learning_rate * min(1.0, (self.state.step + 1) / max(1, self.recipe.warm_up))
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        return rate

    def _pass(self, pieces: Sequence[Piece]) -> Figures:
        """Gradients of all pieces, and the figures of it."""
        self._optimiser.zero_grad(set_to_none=True)
        figures: Figures = {"loss": 0.0, "drift": 0.0}
        tokens_in_all = sum(len(piece.shares) for piece in pieces)
        for piece in pieces:
            tokens = piece.tokens(self.network)
            loss = -(self._gains(piece, tokens) * tokens.now.new_tensor(piece.shares)).sum()
            torch.autograd.backward(loss)
            figures["loss"] += loss.item()
            figures["drift"] = max(figures["drift"], (tokens.before - tokens.served).abs().max().item())
            if piece.reference is not None:
                gaps = k3(tokens.now.detach(), piece.reference).sum().item()
                figures["kl"] = figures.get("kl", 0.0) + gaps / tokens_in_all
        figures["gradient"] = torch.nn.utils.clip_grad_norm_(self._weights, self.recipe.clip).item()
        return figures

    def _gains(self, piece: Piece, tokens: Tokens) -> Tensor:
        gains = self.recipe.objective.gains(tokens)
        if self.recipe.objective.compares:
            gains = gains * importance(tokens, self.recipe.cap)
        if self.recipe.kl and piece.reference is not None:
            gains = gains - self.recipe.kl * k3(tokens.now, piece.reference)
        return gains

    def _check_divergence(self, figures: Figures) -> None:
        if self.recipe.objective.compares and figures.get("kl", 0.0) > self.recipe.kl_most:
            raise DivergedError(
                f"step {self.state.step}: KL {figures['kl']:.3f} to the beginning, more than {self.recipe.kl_most}"
            )

    def _moved(self, figures: Figures) -> bool:
        """The optimiser's step; False where it would be no number, and nothing changes."""
        if all(torch.isfinite(torch.tensor([figures["loss"], figures["gradient"]]))):
            self._optimiser.step()
            self.state.bad = 0
            return True
        self._optimiser.zero_grad(set_to_none=True)
        figures["skipped"] = 1.0
        self.state.bad += 1
        if self.state.bad > self.recipe.most_bad:
            raise NotFiniteError(
                f"{self.state.bad} steps in a row were no numbers; the last: loss {figures['loss']}, "
                f"gradient {figures['gradient']}"
            )
        return False
