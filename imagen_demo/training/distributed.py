"""Several processes that train one network together, under ``torchrun``.

Each has its share of every batch; DistributedDataParallel averages the gradients, so that all have the same
weights after each step. Process 0 alone looks at the clock, obeys the user and writes the run directory; before
each step it tells the others what comes. All chance is drawn for the whole batch (:mod:`imagen_demo.training.step`).
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import os
import sys

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from imagen_demo.config import cores

PATIENCE = datetime.timedelta(hours=2)  # that the others wait while process 0 measures quality


def launched() -> bool:
    """Whether ``torchrun`` started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def local_processes() -> int:
    """How many processes of this training share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def own_device(name: str) -> torch.device:
    """The GPU of this process among those of its machine, or the CPU."""
    if name != "cuda" or not launched():
        return torch.device(name)
    device = torch.device(name, int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    return device


def own_threads(threads: int) -> int:
    """This process's part of the machine's ``threads``, of which there are no more than cores."""
    return max(1, min(threads, cores()) // local_processes())


class Team:
    """The processes that train together; by default one alone, for which everything here does nothing."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self._wrapped: dict[nn.Module, nn.Module] = {}

    @classmethod
    def join(cls) -> Team:
        """Meet the other processes that ``torchrun`` started: gloo between CPUs, NCCL between GPUs."""
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
        return cls(dist.get_rank(), dist.get_world_size())

    def leave(self) -> None:
        """All went well; the process ends soon after."""
        if self.size > 1:
            self._wrapped.clear()
            dist.destroy_process_group()
            atexit.register(_end)

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, batch: int) -> slice:
        """Which pictures of a batch are this process's."""
        part = batch // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    # -- gradients -------------------------------------------------------------

    def wrap(self, *networks: nn.Module) -> None:
        """From now on the gradients of these are averaged over all processes; their weights begin as process 0's."""
        for network in networks if self.size > 1 else ():
            self._wrapped[network] = DistributedDataParallel(network, broadcast_buffers=False)

    def caller(self, network: nn.Module) -> nn.Module:
        """What to call in place of ``network`` when its gradients are wanted."""
        return self._wrapped.get(network, network)

    def syncing(self, network: nn.Module, now: bool) -> contextlib.AbstractContextManager[None]:
        """Around forward and backward: whether this backward averages, or gradients only add up here for now."""
        wrapped = self._wrapped.get(network)
        return contextlib.nullcontext() if now or wrapped is None else wrapped.no_sync()

    # -- words, always between CPUs, so that no GPU is waited for --------------

    def told(self, value: float) -> float:
        """Process 0's value, in every process."""
        if self.size == 1:
            return value
        word = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(word, 0)
        return float(word)

    def told_text(self, text: str) -> str:
        """Process 0's text, in every process."""
        if self.size == 1:
            return text
        length = int(self.told(len(text.encode())))
        letters = torch.zeros(length, dtype=torch.uint8)
        if self.leads:
            letters = torch.tensor(list(text.encode()), dtype=torch.uint8)
        dist.broadcast(letters, 0)
        return bytes(letters.tolist()).decode()

    def meet(self) -> None:
        """Go on when all processes are here."""
        self.mean(torch.zeros(1))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of each value over all processes, on the CPU."""
        if self.size == 1:
            return values
        values = values.detach().double().cpu()
        dist.all_reduce(values)
        return values / self.size


def _end() -> None:
    """End with success and at once: while the interpreter takes itself apart, a thread of PyTorch's may still run, and
    then the process is aborted (1 of 40 trainings of two processes, PyTorch 2.13)."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


ALONE = Team()
