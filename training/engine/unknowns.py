"""Questions that the pairs do not answer, made from the pairs: MEMORY learns from them to say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from training.engine.pairs import Pair, lot
from training.engine.words import WORD, Lexicon, Span

RARE = 5  # words of at most so many facts may be what a question is about
TRIES = 20
FEWEST_OWNERS = 3  # a relation counts as one that entities may lack when so many have it
EVALUATION_SHARE = 0.1  # missing relations never trained on, kept to measure with


@dataclass(frozen=True)
class Missing:
    """A relation that other entities have and this one does not, as far as the pairs say."""

    relation: str
    entity: str


class UnknownEntities:
    """Trained questions with the entity or value they are about replaced by one that no pair mentions."""

    def __init__(self, pairs: Sequence[Pair], lexicon: Lexicon) -> None:
        self._known = "\n".join(f"{pair.question}\n{pair.answer}" for pair in pairs).casefold()
        self._subjects = [(pair.question, spans) for pair in pairs if (spans := _subjects(pair, lexicon))]
        texts = sorted({question[a:b] for question, spans in self._subjects for a, b in spans})
        self._alike: dict[tuple[bool, int], list[list[str]]] = defaultdict(list)
        for text in texts:
            self._alike[_kind(text.split())].append(text.split())
        self._words = sorted({word for text in texts for word in text.split()})

    def draw(self, random: Random) -> str | None:
        """A question about something unknown, or None if the pairs give no material for one."""
        if not self._subjects:
            return None
        for _ in range(TRIES):
            question, spans = random.choice(self._subjects)
            start, end = random.choice(spans)
            invented = self._invent(question[start:end].split(), random)
            if invented.casefold() not in self._known:
                return question[:start] + invented + question[end:]
        return None

    def _invent(self, parts: list[str], random: Random) -> str:
        """Parts of known names put together anew, or words blended from known words; digits are redrawn."""
        if random.random() < 0.5:
            others = self._alike[_kind(parts)]
            parts = [random.choice(others)[place] for place in range(len(parts))]
        else:
            changed = random.randrange(len(parts))
            parts = [
                self._blend(part, random) if place == changed or random.random() < 0.5 else part
                for place, part in enumerate(parts)
            ]
        return " ".join(_redraw_digits(part, random) for part in parts)

    def _blend(self, word: str, random: Random) -> str:
        head, tail = random.choice(self._words), random.choice(self._words)
        blended = head[: random.randint(1, max(1, len(head) - 1))] + tail[len(tail) // 2 :].lower()
        return blended[:1].upper() + blended[1:] if word[:1].isupper() else blended.lower()


class MissingRelations:
    """Questions about a known entity for a relation that it does not have: “Who is the wife of Ada Moss?”.

    Wordings of one fact stand for one relation; a relation's owners are the names it is asked about. Entities
    and relations are put together only where they share a kind: some other relation has both the entity and
    one of the owners. Facts not in the pairs count as absent: MEMORY knows what it was taught.
    """

    def __init__(self, pairs: Sequence[Pair], lexicon: Lexicon, seed: int) -> None:
        asked = [(pair, spans[0]) for pair in pairs if len(spans := lexicon.name_spans(pair.question)) == 1]
        relations = _relations(asked)
        self._wordings: dict[str, list[tuple[str, Span]]] = defaultdict(list)
        owners: dict[str, set[str]] = defaultdict(set)
        for pair, span in asked:
            relation = relations[_frame(pair.question, span)]
            self._wordings[relation].append((pair.question, span))
            owners[relation].add(_cut(pair.question, span))
        missing = _missing(owners)
        self.trained = [one for one in missing if lot(seed, one.relation, one.entity) >= EVALUATION_SHARE]
        self.kept_back = [one for one in missing if lot(seed, one.relation, one.entity) < EVALUATION_SHARE]

    def draw(self, random: Random, kept_back: bool = False) -> str | None:
        """A question about a missing relation, or None if the pairs give no material for one."""
        candidates = self.kept_back if kept_back else self.trained
        if not candidates:
            return None
        missing = random.choice(candidates)
        question, (start, end) = random.choice(self._wordings[missing.relation])
        return question[:start] + missing.entity + question[end:]


def _subjects(pair: Pair, lexicon: Lexicon) -> list[Span]:
    return lexicon.name_spans(pair.question) or lexicon.value_spans(pair.question, pair.answer, RARE)


def _kind(parts: list[str]) -> tuple[bool, int]:
    """Spans of one kind can be put together: names with names, values with values, of the same length."""
    return parts[0][:1].isupper(), len(parts)


def _redraw_digits(text: str, random: Random) -> str:
    return "".join(random.choice("0123456789") if character.isdigit() else character for character in text)


def _cut(question: str, span: Span) -> str:
    return question[span[0] : span[1]]


def _frame(question: str, span: Span) -> str:
    """The question without its name and without number: “sons of …” and “son of …” ask for the same."""
    stems = [_stem(word) for word in WORD.findall(f"{question[: span[0]]} _ {question[span[1] :]}")]
    return " ".join(stems)


def _stem(word: str) -> str:
    word = word.casefold()
    if word in {"is", "are", "was", "were"}:
        return "be"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _relations(asked: Sequence[tuple[Pair, Span]]) -> dict[str, str]:
    """For each frame its relation: frames that word the same fact about the same name belong together."""
    parent: dict[str, str] = {}

    def root(frame: str) -> str:
        while parent.setdefault(frame, frame) != frame:
            frame = parent[frame]
        return frame

    first: dict[tuple[str, str], str] = {}
    for pair, span in asked:
        frame = _frame(pair.question, span)
        parent[root(frame)] = root(first.setdefault((pair.fact, _cut(pair.question, span)), frame))
    return {frame: root(frame) for frame in list(parent)}


def _missing(owners: dict[str, set[str]]) -> list[Missing]:
    held: dict[str, set[str]] = defaultdict(set)
    for relation, names in owners.items():
        for name in names:
            held[name].add(relation)
    found = []
    for relation, names in sorted(owners.items()):
        if len(names) < FEWEST_OWNERS:
            continue
        kindred = {other for name in names for other in held[name] if len(owners[other]) >= FEWEST_OWNERS}
        found += [
            Missing(relation, name) for name in sorted(held) if name not in names and held[name] & kindred
        ]
    return found
