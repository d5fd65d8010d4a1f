"""The ways to merge models, in one table: tensors of the same shape in, one tensor out.

``METHODS`` is where forms, the command line, REST and the docs learn what there is. torch comes in when a method
is used, so that the table can be read without it. The arithmetic is peft's own (``peft.utils.merge_utils``)
wherever it has it.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from memosite.errors import MemoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

PARALLEL = 0.9995  # cosine from which slerp is a straight line: its sines would divide by almost nothing


class BadMerge(MemoError):
    """The method or its numbers are wrong."""

    code = "bad_merge"


class MergeOptions(BaseModel):
    """The numbers of a merge. A method takes those that its ``parameters`` name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    weights: tuple[float, ...] = Field(
        (), description="One number a parent; how much each counts. Empty: all the same."
    )
    density: float = Field(1.0, gt=0, le=1, description="Share of each task vector's values that is kept.")
    scale: float = Field(1.0, gt=0, le=10, description="Factor of the merged task vector before it is added.")
    seed: int = Field(
        1, ge=0, description="Decides which values are dropped; the same seed, the same result."
    )


Combine = Callable[[Sequence["Tensor"], MergeOptions, str], "Tensor"]


@dataclass(frozen=True)
class Method:
    """A way to merge. With ``needs_base`` it works on task vectors: what each parent added to a common base."""

    title: str
    description: str
    source: str
    parameters: tuple[str, ...]
    combine: Combine
    needs_base: bool = False
    most_parents: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    weights_sum_to_one: bool = False


def linear(tensors: Sequence[Tensor], options: MergeOptions, name: str) -> Tensor:
    """The weighted mean."""
    return task_arithmetic(tensors, options, name)


def slerp(tensors: Sequence[Tensor], options: MergeOptions, name: str) -> Tensor:
    """The point on the arc between two tensors, each taken as one vector; the weights say how far along."""
    import torch

    start, end = tensors
    share = options.weights[1]
    lengths = start.norm() * end.norm()
    cosine = (start * end).sum() / lengths if lengths > 0 else torch.ones(())
    if cosine.abs() > PARALLEL:
        return torch.lerp(start, end, share)
    angle = torch.arccos(cosine)
    return (torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end) / torch.sin(angle)


def task_arithmetic(tensors: Sequence[Tensor], options: MergeOptions, name: str) -> Tensor:
    """The weighted sum."""
    from peft.utils import merge_utils

    return merge_utils.task_arithmetic(list(tensors), _weights(options))


def ties(tensors: Sequence[Tensor], options: MergeOptions, name: str) -> Tensor:
    """Keep each vector's largest values, elect a sign for each place, and average those that agree with it."""
    from peft.utils import merge_utils

    with _whole_density_is_meant():
        return merge_utils.ties(list(tensors), _weights(options), options.density)


def dare_linear(tensors: Sequence[Tensor], options: MergeOptions, name: str) -> Tensor:
    """Drop values at random, enlarge the rest so that their sum stays, and add up."""
    from peft.utils import merge_utils

    with _whole_density_is_meant(), seeded(options.seed, name):
        return merge_utils.dare_linear(list(tensors), _weights(options), options.density)


def dare_ties(tensors: Sequence[Tensor], options: MergeOptions, name: str) -> Tensor:
    """Drop values at random as DARE does, then elect signs as TIES does."""
    from peft.utils import merge_utils

    with _whole_density_is_meant(), seeded(options.seed, name):
        return merge_utils.dare_ties(list(tensors), _weights(options), options.density)


METHODS: dict[str, Method] = {
    "linear": Method(
        "Linear",
        "The weighted mean of the weights. Needs nothing but the parents.",
        "Wortsman et al. 2022, arXiv 2203.05482",
        ("weights",),
        linear,
        weights_sum_to_one=True,
    ),
    "slerp": Method(
        "SLERP",
        "Between two parents along the arc instead of the straight line, which keeps the length of each tensor.",
        "Shoemake 1985",
        ("weights",),
        slerp,
        most_parents=2,
        weights_sum_to_one=True,
    ),
    "task_arithmetic": Method(
        "Task arithmetic",
        "What each parent added to the common base is added up and put on the base.",
        "Ilharco et al. 2023, arXiv 2212.04089",
        ("weights", "scale"),
        task_arithmetic,
        needs_base=True,
    ),
    "ties": Method(
        "TIES",
        "As task arithmetic, with each parent's largest values only and without those of the minority's sign.",
        "Yadav et al. 2023, arXiv 2306.01708; density as in MeMo",
        ("weights", "density", "scale"),
        ties,
        needs_base=True,
        defaults={"density": 0.3},
    ),
    "dare_linear": Method(
        "DARE linear",
        "As task arithmetic, after values were dropped at random and the rest enlarged to make up for them.",
        "Yu et al. 2024, arXiv 2311.03099",
        ("weights", "density", "scale", "seed"),
        dare_linear,
        needs_base=True,
        defaults={"density": 0.5},
    ),
    "dare_ties": Method(
        "DARE TIES",
        "Values dropped at random as in DARE, then signs elected as in TIES.",
        "Yu et al. 2024, arXiv 2311.03099",
        ("weights", "density", "scale", "seed"),
        dare_ties,
        needs_base=True,
        defaults={"density": 0.5},
    ),
}


def method_named(name: str) -> Method:
    """Raises BadMerge where there is none of that name."""
    if name not in METHODS:
        raise BadMerge(f"There is no merge method “{name}”. The methods are {', '.join(METHODS)}.")
    return METHODS[name]


def options_for(name: str, values: Mapping[str, Any], parents: int) -> MergeOptions:
    """The numbers of a merge of so many parents, the method's defaults filled in. Raises BadMerge.

    The weights come out one a parent: of ``linear`` and ``slerp`` they sum to one, else they stay as they are.
    """
    method = method_named(name)
    if parents < 2:
        raise BadMerge("A merge needs at least two parents. Choose another one.")
    if method.most_parents and parents > method.most_parents:
        raise BadMerge(
            f"{method.title} merges {method.most_parents} parents and not {parents}. Choose another method."
        )
    given = {key: value for key, value in values.items() if value is not None}
    if foreign := [key for key in given if key not in method.parameters]:
        raise BadMerge(
            f"{method.title} takes no {foreign[0]}: its numbers are {', '.join(method.parameters)}."
        )
    try:
        options = MergeOptions(**{**method.defaults, **given})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'][:1]))}: {one['msg']}" for one in error.errors())
        raise BadMerge(f"The numbers of the merge are wrong: {wrong}.") from error
    return options.model_copy(update={"weights": _checked_weights(method, options.weights, parents)})


def _checked_weights(method: Method, weights: tuple[float, ...], parents: int) -> tuple[float, ...]:
    weights = weights or (1.0,) * parents
    if len(weights) != parents:
        raise BadMerge(f"There are {parents} parents and {len(weights)} weights. Give one to each parent.")
    if min(weights) < 0 or not sum(weights):
        raise BadMerge("Weights are not negative, and not all of them are zero.")
    return tuple(one / sum(weights) for one in weights) if method.weights_sum_to_one else weights


def used_options(name: str, options: MergeOptions) -> dict[str, Any]:
    """The numbers that the method takes, as JSON stores them."""
    return {
        key: value
        for key, value in options.model_dump(mode="json").items()
        if key in METHODS[name].parameters
    }


def _weights(options: MergeOptions) -> Tensor:
    import torch

    return torch.tensor(options.weights)


@contextmanager
def seeded(seed: int, name: str) -> Iterator[None]:
    """Random numbers that depend on the seed and the tensor's name alone, whatever was merged before it."""
    import torch

    digest = hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(digest[:7], "big"))
        yield


@contextmanager
def _whole_density_is_meant() -> Iterator[None]:
    """peft warns where a density of 1 prunes nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The density")
        yield
