"""From a source to a prepared dataset: every file accepted, or dropped with a reason, and nothing half-made."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import multiprocessing
import shutil
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imagen_demo import storage
from imagen_demo.config import PrepareConfig, check_cores, cores
from imagen_demo.data.dataset import FORMAT_VERSION, SMALLEST, Dataset, open_dataset
from imagen_demo.data.decode import Decoded, decode, decode_many, leave_with_parent
from imagen_demo.data.intake import Candidate, Intake, Source, find_pictures
from imagen_demo.data.near import near_duplicates
from imagen_demo.data.reasons import DROPPED, IGNORED, sentence
from imagen_demo.errors import UserError
from imagen_demo.progress import Progress, silent

FEW = 64  # fewer pictures are read here: starting processes would take longer
CHUNK = 16  # pictures per task
UNPACKING = 0.2  # share of the progress bar


def prepare(source: Source, out: Path, config: PrepareConfig | None = None, progress: Progress = silent) -> Dataset:
    """Turn ``source`` (a folder, an archive, many files) into the prepared dataset ``out``.

    Raises:
        UserError: nothing usable, too few pictures, a full disk, more workers than cores. ``out`` stays what it was.
        Cancelled: from ``progress``; ``out`` stays what it was.
    """
    config, out = config or PrepareConfig(), Path(out)
    check_cores("workers", config.workers)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        storage.replace_folder(out, lambda new: _Preparation(new, out.name, config, progress).run(source))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError("The disk is full; {name} was not prepared. Free some space.", name=out.name) from None
        raise
    return open_dataset(out)


class _Preparation:
    """One call of :func:`prepare`, in a folder that nobody sees yet."""

    def __init__(self, folder: Path, name: str, config: PrepareConfig, progress: Progress) -> None:
        self.folder, self.name, self.config, self.progress = folder, name, config, progress
        self.files: list[dict[str, Any]] = []  # of the manifest
        self.accepted: list[dict[str, Any]] = []
        self.hashes: list[int] = []
        self.twins: dict[str, str] = {}  # digest of a file or of its pixels -> the first file that had it
        self.transparent = 0

    def run(self, source: Source) -> None:
        scratch, spool = self.folder / "unpacked", self.folder / "spool"
        intake = find_pictures(source, scratch, lambda f, text: self.progress(UNPACKING * f, text))
        for aside in intake.set_aside:
            self._line(aside.name, "ignored" if aside.code in IGNORED else "dropped", aside.code, aside.values)
        with open(spool, "wb") as out:
            self._read(intake.candidates, out)
        shutil.rmtree(scratch, ignore_errors=True)
        if len(self.accepted) < SMALLEST:
            raise self._too_few(intake)
        self.progress(0.97, "Looking for near duplicates")
        pictures = np.memmap(spool, np.uint8, "r", shape=(len(self.accepted), *self._shape(4)))
        for index, twin in near_duplicates(self.hashes, pictures).items():
            line = self.accepted[index]
            line.setdefault("notes", []).append({"code": "near_duplicate", "twin": self.accepted[twin]["file"]})
        fingerprint, channels = self._write_images(pictures)
        del pictures
        spool.unlink()
        classes = self._write_labels(intake)
        captions = self._write_captions(intake)
        self._write_manifest(intake, classes, captions, fingerprint, channels)
        self.progress(1.0, "Done")

    def _shape(self, channels: int) -> tuple[int, int, int]:
        return self.config.resolution, self.config.resolution, channels

    def _line(self, name: str, status: str, code: str, values: dict[str, Any]) -> dict[str, Any]:
        line = {"file": name, "status": status, "code": code}
        if code:
            line |= {"reason": sentence(code, values), "values": values}
        self.files.append(line)
        return line

    def _read(self, candidates: list[Candidate], spool: BinaryIO) -> None:
        """Decode all candidates, in order; accepted pictures go to ``spool`` as RGBA."""
        for done, (candidate, decoded) in enumerate(self._decoded(candidates)):
            self.progress(
                UNPACKING + (0.95 - UNPACKING) * done / len(candidates),
                f"{done} of {len(candidates)} pictures read, {len(self.accepted)} accepted",
            )
            pixels = decoded.pixels
            digests = [decoded.sha256]
            if pixels is not None:
                if pixels.shape[2] == 3:
                    pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
                digests.append(hashlib.sha256(pixels.tobytes()).hexdigest())
                twin = next((self.twins[d] for d in digests if d in self.twins), None)
                if twin is not None:
                    decoded.code, decoded.values = "exact_duplicate", {"twin": twin}
            if decoded.code:
                line = self._line(candidate.name, "dropped", decoded.code, decoded.values)
            else:
                line = self._line(candidate.name, "accepted", "", {})
                line["index"] = len(self.accepted)
                if decoded.notes:
                    line["notes"] = [{"code": code} for code in decoded.notes]
                spool.write(pixels.tobytes())
                self.accepted.append(line)
                self.hashes.append(decoded.dhash)
                self.twins.update(dict.fromkeys(digests, candidate.name))
                self.transparent += decoded.transparent
            line["sha256"] = decoded.sha256

    def _decoded(self, candidates: list[Candidate]) -> Iterator[tuple[Candidate, Decoded]]:
        """``(candidate, decoded)`` in order, read by several processes where that pays."""
        config = self.config
        options = (config.resolution, config.fit, config.alpha == "keep")
        workers = config.workers or cores()
        if len(candidates) < FEW or workers == 1:
            yield from ((c, decode(str(c.path), c.name, *options)) for c in candidates)
            return
        chunks = [candidates[i : i + CHUNK] for i in range(0, len(candidates), CHUNK)]
        with _pool(min(workers, len(chunks))) as pool:
            waiting: deque[tuple[list[Candidate], Future]] = deque()
            while chunks or waiting:
                while chunks and len(waiting) < 4 * workers:  # bounded: results wait in memory
                    chunk = chunks.pop(0)
                    jobs = [(str(c.path), c.name, *options) for c in chunk]
                    waiting.append((chunk, pool.submit(decode_many, jobs)))
                chunk, future = waiting.popleft()
                yield from zip(chunk, future.result(), strict=True)

    def _too_few(self, intake: Intake) -> UserError:
        dropped = [line for line in self.files if line["status"] == "dropped"]
        if not dropped:
            return UserError(
                "Too few usable pictures in {name}: {count} of at least {least}. Add some.",
                name=intake.source, count=len(self.accepted), least=SMALLEST,
            )  # fmt: skip
        code, _ = Counter(line["code"] for line in dropped).most_common(1)[0]
        example = next(line for line in dropped if line["code"] == code)
        return UserError(
            "Too few usable pictures in {name}: {count} of at least {least}. Add some. "
            "Left out: {dropped}, for example {example}: {reason}",
            name=intake.source, count=len(self.accepted), least=SMALLEST,
            dropped=len(dropped), example=example["file"], reason=UserError(DROPPED[code], **example["values"]),
        )  # fmt: skip

    def _write_images(self, pictures: np.ndarray) -> tuple[str, int]:
        """``images.npy`` from the RGBA spool; returns the fingerprint and the number of channels.

        Written as a stream: on a full disk that is an error, where a memory map would kill the process.
        """
        keep = self.config.alpha == "keep" or (
            self.config.alpha == "auto" and 2 * self.transparent >= len(self.accepted)
        )
        channels = 4 if keep else 3
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(pictures), *self._shape(channels))}
        fingerprint = hashlib.sha256()
        with open(self.folder / "images.npy", "wb") as out:
            np.lib.format.write_array_header_1_0(out, header)
            for picture in pictures:
                data = (np.array(picture) if keep else on_white(picture)).tobytes()
                fingerprint.update(hashlib.sha256(data).digest())
                out.write(data)
        return fingerprint.hexdigest(), channels

    def _write_labels(self, intake: Intake) -> list[str]:
        """``labels.npy`` if every accepted picture has a class and there are at least two; returns the classes."""
        of = intake.classes() if self.config.labels else {}
        names = [of.get(line["file"]) for line in self.accepted]
        if None in names or len(set(names)) < 2:
            return []
        classes = sorted(set(names), key=lambda name: (int(name) if name.isdecimal() else -1, name))  # 2 before 10
        for line, name in zip(self.accepted, names, strict=True):
            line["class"] = name
        number = {name: index for index, name in enumerate(classes)}
        np.save(self.folder / "labels.npy", np.array([number[name] for name in names], np.int64))
        return classes

    def _write_captions(self, intake: Intake) -> int:
        rows = [
            {"index": line["index"], "file": line["file"], "text": intake.captions[line["file"]]}
            for line in self.accepted
            if line["file"] in intake.captions
        ]
        if rows:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (self.folder / "captions.jsonl").write_text(text, encoding="utf-8")
        return len(rows)

    def _write_manifest(
        self, intake: Intake, classes: list[str], captions: int, fingerprint: str, channels: int
    ) -> None:
        status = Counter(line["status"] for line in self.files)
        near = sum(note["code"] == "near_duplicate" for line in self.accepted for note in line.get("notes", []))
        manifest = {
            "version": FORMAT_VERSION,
            "name": self.name,
            "source": intake.source,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "options": asdict(self.config) | {"channels": channels},
            "counts": {
                "found": len(self.files),
                "accepted": status["accepted"],
                "dropped": status["dropped"],
                "ignored": status["ignored"],
                "exact_duplicates": sum(line["code"] == "exact_duplicate" for line in self.files),
                "near_duplicates": near,
                "transparent": self.transparent,
                "captions": captions,
            },
            "classes": classes,
            "class_counts": dict(sorted(Counter(x["class"] for x in self.accepted).items())) if classes else {},
            "fingerprint": fingerprint,
            "files": sorted(self.files, key=lambda line: line["file"]),
        }
        storage.write_json(self.folder / "manifest.json", manifest)


def on_white(picture: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 4], straight alpha -> uint8 [H, W, 3] over white, rounded to nearest."""
    alpha = picture[..., 3:].astype(np.uint16)
    return ((picture[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that fork from no thread of ours, and are gone when the work ends or is cancelled."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=leave_with_parent)
    try:
        yield pool
    except (BrokenProcessPool, MemoryError):
        raise UserError("Reading the pictures was stopped, likely for lack of memory. Use fewer workers.") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
