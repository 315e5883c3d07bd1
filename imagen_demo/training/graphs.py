"""A training step recorded once as a CUDA graph and replayed from then on.

A step is more than a thousand small operations; started one by one from Python they keep a fast GPU waiting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:  # it imports this file
    from imagen_demo.training.step import Work

Found = dict[str, Tensor]
Body = Callable[["Work"], Found]
WARM = 3  # steps of a kind that are done as usual first: Adam gets its memory, cuDNN chooses its kernels
ROOM = 2  # the free memory that recording wants, over what steps take: for the records, and for steps besides


@dataclass
class Record:
    """One kind of step: ``graph`` reads ``inputs`` and writes ``found``, always at the same addresses."""

    graph: torch.cuda.CUDAGraph
    inputs: list[Tensor]
    found: Found


class Graphs:
    """The recorded steps of one training on one GPU; what they come to is the same as without.

    Records hold the addresses of weights and optimiser, and the learning rates: :meth:`forget` them where one changes.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.able = True
        self._stream = torch.cuda.Stream(device)  # for all steps: nothing can be recorded on the default stream
        self.forget()

    def forget(self) -> None:
        self._records: dict[Hashable, Record] = {}
        self._seen: Counter[Hashable] = Counter()
        self._pool = torch.cuda.graph_pool_handle()  # memory that the records share: they never run at once

    def give_up(self) -> bool:
        """Record no more, and have the memory of what was recorded back; whether there was any."""
        self.able, had = False, bool(self._records)
        self.forget()
        if had:
            print("The GPU's memory was full; steps are no longer recorded as CUDA graphs.", flush=True)
        return had

    def __call__(self, body: Body, work: Work) -> Found:
        """``body(work)``, replayed where steps of this kind have been recorded."""
        kind = work.kind
        record = self._records.get(kind)
        if record is None:
            self._seen[kind] += 1
            if self._seen[kind] > WARM and self.able and self._roomy():
                record = self._recorded(body, work)
        if record is None:
            return self._on_stream(body, work)
        for place, value in zip(record.inputs, work.tensors(), strict=True):
            place.copy_(value)
        record.graph.replay()
        return {key: value.clone() for key, value in record.found.items()}  # the next replay writes over them

    def _on_stream(self, body: Body, work: Work) -> Found:
        """As usual, but beside the default stream; each waits for the other."""
        self._stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self._stream):
            found = body(work)
        torch.cuda.current_stream(self.device).wait_stream(self._stream)
        return found

    def _recorded(self, body: Body, work: Work) -> Record | None:
        """Nothing is computed yet. None, and never tried again, where it fails: all goes on as usual."""
        graph, before = torch.cuda.CUDAGraph(), torch.cuda.current_stream(self.device)
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                found = body(work)
        except RuntimeError as error:
            print(f"Steps are not recorded as CUDA graphs: {error}", flush=True)
            torch.cuda.set_stream(before)  # which a recording that breaks off may leave another
            self.able, work.drawn = False, None
            return None
        record = self._records[work.kind] = Record(graph, work.tensors(), found)
        return record

    def _roomy(self) -> bool:
        torch.cuda.empty_cache()
        free, _ = torch.cuda.mem_get_info(self.device)
        self.able = bool(self._records) or free > ROOM * torch.cuda.max_memory_allocated(self.device)
        return self.able
