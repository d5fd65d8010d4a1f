"""LoRA adapters merged by what they add to their base, so that their ranks and scales may differ.

An adapter adds ``scale * B @ A`` to a weight. Averaging A and B apart would mix one parent's A with another's B;
so the sums are formed on the product. A weighted sum is exact in factors (those of all parents side by side, the
ranks add up). Any other method works on the products, a layer at a time, and the result is cut back to the same
rank by a singular value decomposition, which loses a little: ``kept`` says how much is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from training.engine.merge_files import TensorInfo
from training.engine.merge_methods import METHODS, MergeOptions, seeded
from training.engine.merge_parents import Parent

if TYPE_CHECKING:
    from torch import Tensor

A, B = ".lora_A.weight", ".lora_B.weight"
LARGE, SPARE = (
    1024,
    16,
)  # from what width on singular values are approximated, and with how many more than wanted
EXACT = frozenset({"linear", "task_arithmetic"})


def scale_of(parent: Parent) -> float:
    """The factor in front of ``B @ A``: alpha by the rank, or by its root with rank-stabilised LoRA."""
    alpha, rank = float(parent.config["lora_alpha"]), int(parent.config["r"])
    return alpha / math.sqrt(rank) if parent.config.get("use_rslora") else alpha / rank


@dataclass
class MergedAdapter:
    """The tensors of a merged adapter, made when they are asked for. ``rank`` is the sum of the parents' ranks."""

    parents: Sequence[Parent]
    method: str
    options: MergeOptions
    _made: dict[str, Tensor] = field(default_factory=dict)
    _energy: list[tuple[float, float]] = field(default_factory=list)  # kept and whole, by layer

    @property
    def rank(self) -> int:
        return sum(int(parent.config["r"]) for parent in self.parents)

    @property
    def infos(self) -> list[TensorInfo]:
        """What will be written: A and B of a layer after each other."""
        found = []
        for name, info in sorted(self.parents[0].files.infos.items()):
            rows, columns = info.shape
            shape = (self.rank, columns) if name.endswith(A) else (rows, self.rank)
            found.append(TensorInfo(name, shape, info.dtype))
        return found

    @property
    def kept(self) -> float:
        """Share of the merged layers' squared length that the rank could hold; 1 where nothing was cut."""
        whole = sum(whole for _, whole in self._energy)
        return sum(kept for kept, _ in self._energy) / whole if whole else 1.0

    def tensor(self, name: str) -> Tensor:
        """One tensor of the result. Both of a layer are made at once; the other one is kept until asked for."""
        if name not in self._made:
            layer = name.removesuffix(A).removesuffix(B)
            down, up = self._factors(layer)
            self._made = {layer + A: down, layer + B: up}
        return self._made.pop(name)

    def _factors(self, layer: str) -> tuple[Tensor, Tensor]:
        import torch

        scales = [scale_of(parent) for parent in self.parents]
        factors = [(parent.files.read(layer + A), parent.files.read(layer + B)) for parent in self.parents]
        if self.method in EXACT:
            weights = [
                weight * self.options.scale * scale
                for weight, scale in zip(self.options.weights, scales, strict=True)
            ]
            ups = [weight * up for weight, (_, up) in zip(weights, factors, strict=True)]
            return torch.cat([down for down, _ in factors]), torch.cat(ups, dim=1)
        added = [scale * up @ down for scale, (down, up) in zip(scales, factors, strict=True)]
        merged = self.options.scale * METHODS[self.method].combine(added, self.options, layer)
        with seeded(self.options.seed, layer):
            return self._cut(merged)

    def _cut(self, merged: Tensor) -> tuple[Tensor, Tensor]:
        """The best factors of the rank; rows of zeros where the layer is narrower than that."""
        from torch.nn import functional

        left, values, right = _singular_values(merged, self.rank)
        self._energy.append((float(values.square().sum()), float(merged.square().sum())))
        root, missing = values.sqrt(), self.rank - len(values)
        down, up = root[:, None] * right, left * root
        return functional.pad(down, (0, 0, 0, missing)), functional.pad(up, (0, missing))


def _singular_values(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest singular values with their vectors; of large matrices by random projection (Halko 2011)."""
    import torch

    if min(matrix.shape) > LARGE:
        left, values, right = torch.svd_lowrank(matrix, q=rank + SPARE, niter=4)
        right = right.T
    else:
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    return left[:, :rank], values[:rank], right[:rank]
