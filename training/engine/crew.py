"""The processes that train together: one, or several under ``accelerate launch`` or ``torchrun``, by DDP or FSDP.

A launcher tells each process its place by environment variables; the rest is torch's own, so that both ways run on
processors as they do on GPUs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed import checkpoint as sharded_checkpoint
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn.parallel import DistributedDataParallel


class Crew:
    """What one process knows of all. Each holds the whole model (DDP) or a part of it (FSDP, ``is_sharded``).

    Every process makes the same batches and takes its own rows of them, so that the data order does not depend on
    how many there are; gradients are averaged, which ``Trainer`` undoes by weighing its loss.
    """

    def __init__(self) -> None:
        self.rank, self.world = (
            int(os.environ.get(name, unset)) for name, unset in (("RANK", 0), ("WORLD_SIZE", 1))
        )
        self.is_main = self.rank == 0
        self.is_sharded = self.world > 1 and os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"
        has_gpu = torch.cuda.is_available()
        self.device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if has_gpu else "cpu")
        if has_gpu:
            torch.cuda.set_device(self.device)
        if self.world > 1 and not distributed.is_initialized():
            distributed.init_process_group("cuda:nccl,cpu:gloo" if has_gpu else "gloo")

    def spread(self, model: nn.Module) -> nn.Module:
        """The model on this process's device and in touch with the others. Make its optimiser afterwards."""
        if self.is_sharded:
            for layer in _layers_of(model):
                fully_shard(layer, mesh=self._mesh)
            fully_shard(model, mesh=self._mesh)
            return model
        model = model.to(self.device)
        if self.world == 1:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices)

    @property
    def _mesh(self) -> distributed.DeviceMesh:
        return distributed.init_device_mesh(self.device.type, (self.world,))

    def plain(self, model: nn.Module) -> nn.Module:
        """The model without what the crew put around it."""
        return model.module if isinstance(model, DistributedDataParallel) else model

    @contextmanager
    def gradients_kept(self, model: nn.Module, *, exchanged: bool) -> Iterator[None]:
        """Backward passes in here add up; they are exchanged between processes only where asked for."""
        if isinstance(model, FSDPModule):
            model.set_requires_gradient_sync(exchanged)
        if isinstance(model, DistributedDataParallel) and not exchanged:
            with model.no_sync():
                yield
        else:
            yield

    def total(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.world == 1:
            return values
        summed = values.to(self.device)
        distributed.all_reduce(summed)
        return summed

    def decided(self, flag: bool) -> bool:
        """Whether the main process says so: all processes must turn the same way at the same step."""
        if self.world == 1:
            return flag
        return bool(self.total(torch.tensor(float(flag and self.is_main))).item())

    def gathered(self, value: Any) -> list[Any]:
        """One value of each process, in their order."""
        values: list[Any] = [value] * self.world
        if self.world > 1:
            distributed.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        if self.world > 1:
            distributed.barrier()

    def part(self) -> None:
        """Every process goes its own way from here on; together they can do no more."""
        self.wait()
        if self.world > 1:
            distributed.destroy_process_group()

    # -- where the model is spread over the processes -----------------------------------------------------
    def weights(self, model: nn.Module) -> dict[str, Tensor]:
        """All weights by name, whole, in the main process; every process must call it."""
        return get_model_state_dict(  # type: ignore[return-value]
            model, options=StateDictOptions(full_state_dict=True, cpu_offload=True)
        )

    def save_shards(self, folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Every process writes its part of model and optimiser."""
        weights, moments = get_state_dict(model, optimiser)
        sharded_checkpoint.save({"model": weights, "optimiser": moments}, checkpoint_id=folder)

    def load_shards(self, folder: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Put what ``save_shards`` wrote into model and optimiser, by however many processes it was written."""
        weights, moments = get_state_dict(model, optimiser)
        state: dict[str, Any] = {"model": weights, "optimiser": moments}
        sharded_checkpoint.load(state, checkpoint_id=folder)
        set_state_dict(model, optimiser, model_state_dict=state["model"], optim_state_dict=state["optimiser"])


def _layers_of(model: nn.Module) -> list[nn.Module]:
    """The parts that transformers says must not be split: the decoder layers."""
    names = {name for part in model.modules() for name in getattr(part, "_no_split_modules", None) or ()}
    return [part for part in model.modules() if type(part).__name__ in names]
