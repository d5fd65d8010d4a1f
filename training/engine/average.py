"""The running average of the weights that are being trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of parameters (Polyak averaging with a fixed decay).

    It recalls at full learning rate what the weights themselves recall only after the rate has decayed. With a
    decay of 0 nothing is kept and ``applied`` changes nothing.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        self._parameters, self._decay = list(parameters), decay
        self.shadow: list[Tensor] = []

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in; the first ones are taken as they are."""
        if not self._decay:
            return
        if not self.shadow:
            self.shadow = [parameter.detach().clone() for parameter in self._parameters]
        else:
            torch._foreach_lerp_(self.shadow, [p.detach() for p in self._parameters], 1 - self._decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model holds the average for as long as this lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def settle(self) -> None:
        """The model holds the average from now on."""
        self._swap()
        self.shadow = []

    def load(self, shadow: Sequence[Tensor]) -> None:
        """Go on from a saved average."""
        self.shadow = [
            kept.to(parameter.device).clone()
            for kept, parameter in zip(shadow, self._parameters, strict=False)
        ]

    def _swap(self) -> None:
        for place, kept in enumerate(self.shadow):
            parameter = self._parameters[place]
            self.shadow[place], parameter.data = parameter.data, kept
