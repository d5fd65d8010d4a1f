"""Question-answer pairs: read, checked, and split into trained and held-out wordings."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from training.engine.config import EngineConfig
from training.engine.errors import BadPairs


@dataclass(frozen=True)
class Pair:
    """One question with its answer. Pairs with the same ``fact`` are wordings of the same fact."""

    id: str
    question: str
    answer: str
    fact: str


@dataclass(frozen=True)
class Split:
    """``held_out`` are wordings kept from training to measure recall; ``left_out`` contradict an earlier pair;
    ``too_long`` are those that have more tokens than an example may. ``earlier`` are pairs that the MEMORY gone on
    from knows and this training does not repeat, ``earlier_held_out`` the wordings that were kept from it."""

    trained: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    left_out: tuple[Pair, ...]
    too_long: tuple[Pair, ...] = ()
    earlier: tuple[Pair, ...] = ()
    earlier_held_out: tuple[Pair, ...] = ()

    @property
    def known(self) -> tuple[Pair, ...]:
        """All that the model has been taught once it is trained."""
        return (*self.trained, *self.earlier)

    def after(self, before: Split) -> Split:
        """The split of a training that goes on from a MEMORY of the pairs ``before``: new answers replace old."""
        ours = {normalised(pair.question) for pair in (*self.trained, *self.held_out, *self.left_out)}
        earlier, held_out = (
            tuple(pair for pair in part if normalised(pair.question) not in ours)
            for part in (before.trained, before.held_out)
        )
        return replace(self, earlier=earlier, earlier_held_out=held_out)

    def without(self, too_long: Collection[Pair]) -> Split:
        """The split with the pairs that are too long set aside."""
        ids = {pair.id for pair in too_long}
        trained, held_out = (
            tuple(pair for pair in part if pair.id not in ids) for part in (self.trained, self.held_out)
        )
        return replace(self, trained=trained, held_out=held_out, too_long=tuple(too_long))


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a JSON-lines file, one object with id, question, answer and fact a line. Raises BadPairs."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadPairs(f"The pairs file {path} cannot be read: {error}.") from error
    pairs: dict[str, Pair] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            pair = _parse(line, number)
            if pair.id in pairs:
                raise BadPairs(
                    f"Line {number} of the pairs file repeats the id “{pair.id}”. Give each pair its own."
                )
            pairs[pair.id] = pair
    if not pairs:
        raise BadPairs(f"The pairs file {path} is empty. Approve some reflections first.")
    return list(pairs.values())


def _parse(line: str, number: int) -> Pair:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise BadPairs(f"Line {number} of the pairs file is not JSON: {error}.") from error
    fields = {}
    for key in ("id", "question", "answer", "fact"):
        value = values.get(key) if isinstance(values, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise BadPairs(f"Line {number} of the pairs file has no text under “{key}”.")
        fields[key] = " ".join(value.split())
    return Pair(**fields)


def kept_pairs(file: Path) -> Split:
    """The pairs as a MEMORY keeps them: trained and held out. Raises BadPairs."""
    parts: dict[bool, list[Pair]] = {False: [], True: []}
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            values = json.loads(line)
            fields = {key: str(values[key]) for key in ("id", "question", "answer", "fact")}
            parts[bool(values.get("held_out"))].append(Pair(**fields))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadPairs(f"The pairs in {file} cannot be read: {error}.") from error
    if not parts[False]:
        raise BadPairs(f"The pairs in {file} hold none that was trained on.")
    return Split(tuple(parts[False]), tuple(parts[True]), ())


def digest(pairs: Iterable[Pair]) -> str:
    """SHA-256 over the pairs, in their order."""
    sha = hashlib.sha256()
    for pair in pairs:
        sha.update(json.dumps(asdict(pair), ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return sha.hexdigest()


def normalised(text: str) -> str:
    """Text as recall compares it: one kind of white space, no case."""
    return " ".join(text.split()).casefold()


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write pairs as ``read_pairs`` reads them."""
    with path.open("w", encoding="utf-8") as file:
        for pair in pairs:
            file.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")


def split(pairs: Sequence[Pair], config: EngineConfig) -> Split:
    """Hold one wording out of a share of the facts that have enough of them; the same for the same seed."""
    kept, left_out = _without_contradictions(pairs)
    wordings: dict[str, list[Pair]] = defaultdict(list)
    for pair in kept:
        wordings[pair.fact].append(pair)
    held_out = set()
    for fact, group in wordings.items():
        if len(group) >= config.held_out_wordings and lot(config.seed, "fact", fact) < config.held_out_share:
            held_out.add(min(group, key=lambda pair: lot(config.seed, "pair", pair.id)).id)
    return Split(
        tuple(pair for pair in kept if pair.id not in held_out),
        tuple(pair for pair in kept if pair.id in held_out),
        tuple(left_out),
    )


def lot(*parts: object) -> float:
    """A number in [0, 1) drawn from a hash, so that it depends on its parts alone."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _without_contradictions(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """A question is asked once: the first answer counts, a second one could only unsettle it."""
    seen: set[str] = set()
    kept: list[Pair] = []
    left_out: list[Pair] = []
    for pair in pairs:
        question = normalised(pair.question)
        (left_out if question in seen else kept).append(pair)
        seen.add(question)
    return kept, left_out
