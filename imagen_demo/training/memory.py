"""When the memory is full: fewer pictures at once, the same step, and on it goes."""

from __future__ import annotations

import ctypes
import gc
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch

from imagen_demo.errors import UserError
from imagen_demo.models.layers import GROUP

if TYPE_CHECKING:  # it imports this file
    from imagen_demo.training.step import Work

Notify = Callable[[int], None]
Found = TypeVar("Found")
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's mallopt(3)
WORDS = ("out of memory", "not enough mem", "can't allocate memory", "cannot allocate memory")  # CUDA, CPU, Linux


def ignore(size: int) -> None:
    """For those who need not know."""


def keep_freed_memory() -> None:
    """Have this process keep the memory it frees, for its next step.

    glibc gives large pieces back to the system at once, and every step asks for the same ones again: new pages, filled
    with zeros. Kept, two cores train 1.1 times as fast at 64 px and 1.9 times at 256 px, in a fifth more memory.
    Does nothing where the C library is another.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def is_full(error: BaseException) -> bool:
    """Whether this error means that the memory did not suffice, on a GPU or a CPU."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(words in str(error).lower() for words in WORDS)
    )


def micro_batches(batch: int) -> list[int]:
    """The sizes in which ``batch`` pictures give the same gradients as at once, largest first.

    They divide it, and keep the groups of MinibatchStd whole: gcd(size, 4) = gcd(batch, 4).
    """
    group = math.gcd(batch, GROUP)
    return [size for size in range(batch, 0, -1) if batch % size == 0 and math.gcd(size, GROUP) == group]


def fitting_size(wish: int, count: int) -> int:
    """Pictures at once, of ``count``: the most that is not above ``wish`` (0: all)."""
    sizes = micro_batches(count)
    return next((size for size in sizes if not wish or size <= wish), sizes[-1])


def fitting_memory(update: Callable[[Work], Found], work: Work, notify: Notify = ignore) -> Found:
    """``update(work)``; where the memory ends, once more with half as many pictures at a time, or fewer.

    What the steps recorded on a GPU hold is given back first.

    ``update`` changes nothing before its last line, and all chance was drawn before, so the second time is the same.

    Raises:
        UserError: not even the smallest micro-batch fits, or several processes train: one that tried
            again by itself would leave the others waiting.
    """
    while True:
        try:
            return update(work)
        except (RuntimeError, MemoryError) as error:
            if not is_full(error) or (work.real.is_cuda and torch.cuda.is_current_stream_capturing()):
                raise
        # Only here, outside the handler, are the tensors of the attempt free again.
        work.drawn = None
        graphs = work.state.graphs
        spare = graphs is not None and graphs.give_up()
        gc.collect()
        if work.real.is_cuda:
            torch.cuda.empty_cache()
        if spare:  # what recorded steps held may be enough
            continue
        size = work.size
        smaller = next((one for one in micro_batches(len(work.real)) if one <= size / 2), None)
        if smaller is None:
            raise UserError(
                "The memory is full even with {size} pictures at once; choose a smaller width or batch, "
                "or close other programs.", size=size,
            )  # fmt: skip
        if work.team.size > 1:
            raise UserError(
                "The memory of process {rank} is full with {size} pictures at once; start again with a "
                "micro_batch of {smaller}.", rank=work.team.rank, size=size, smaller=smaller,
            )  # fmt: skip
        work.state.counters.micro_batch = smaller
        notify(smaller)
