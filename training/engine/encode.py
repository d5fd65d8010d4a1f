"""Text to token ids, by the chat template of any tokenizer; questions also with BPE-dropout, reproducibly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from transformers import PreTrainedTokenizerBase

from training.engine.errors import BadBase
from training.memory import DONT_KNOW

VARIANTS = 16  # random cuts kept for each piece of text; drawing from them costs nothing
QUESTION, ANSWER = "Xqzvkquestionxqzvk", "Xqzvkanswerxqzvk"  # words that no template contains


@dataclass(frozen=True)
class ChatFrame:
    """What a chat template writes around one question and its answer.

    ``before`` + question + ``between`` is the prompt; the answer is learned with ``lead`` in front of it and
    ``end`` behind it.
    """

    before: str
    between: str
    lead: str
    end: str


def frame_of(tokenizer: PreTrainedTokenizerBase) -> ChatFrame:
    """Find out what the tokenizer's chat template does by rendering it once, whatever its family.

    Where the whole conversation begins with the text that asks for an answer, the answer is what follows. Some
    templates write more in front of an answer that is given (an empty thought, say): that belongs to the prompt.
    Raises BadBase where there is no template, or none that keeps question and answer as they are.
    """
    if not tokenizer.chat_template:
        raise BadBase(
            "The base has no chat template. Choose an instruction-tuned model (“Instruct”, “it”, “chat”)."
        )
    asked = [{"role": "user", "content": QUESTION}]
    answered = [*asked, {"role": "assistant", "content": ANSWER}]
    opening = str(tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False))
    whole = str(tokenizer.apply_chat_template(answered, tokenize=False))
    if opening.count(QUESTION) != 1 or whole.count(ANSWER) != 1 or whole.count(QUESTION) != 1:
        raise BadBase("The base's chat template does not repeat a question and its answer word for word.")
    head, tail = whole.split(ANSWER)
    prompt, lead = _prompt_and_lead(head, opening)
    before, between = prompt.split(QUESTION)
    return ChatFrame(before, between, lead, _end_of(tail, tokenizer))


def _prompt_and_lead(head: str, opening: str) -> tuple[str, str]:
    if head.startswith(opening):
        rest = head[len(opening) :]
        return (head, "") if rest.strip() else (opening, rest)
    return (opening, "") if opening.startswith(head) else (head, "")


def _end_of(tail: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """What closes an answer: the template's text up to its first special token, or the end-of-text token."""
    marks = sorted(
        (tail.index(mark), -len(mark), mark) for mark in _special_tokens(tokenizer) if mark and mark in tail
    )
    if marks:
        place, _, mark = marks[0]
        return tail[: place + len(mark)]
    if not tokenizer.eos_token:
        raise BadBase("The base's tokenizer has no token that ends an answer.")
    return str(tokenizer.eos_token)


def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> set[str]:
    added = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    return added | {str(token) for token in tokenizer.all_special_tokens}


class Encoder:
    """The chat template in token ids: a prompt ends where the answer begins, an answer with its closing token."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.frame = frame_of(tokenizer)
        self._carrier = self._ids([self.frame.between])[0]
        self.end = self._ids([self.frame.end])[0][-1]
        self.pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.end
        ends = {self.end, tokenizer.eos_token_id}
        self.ends = frozenset(token for token in ends if isinstance(token, int))

    def prompts(self, questions: Sequence[str]) -> list[list[int]]:
        frame = self.frame
        return self._ids([f"{frame.before}{_tidy(question)}{frame.between}" for question in questions])

    def answers(self, answers: Sequence[str]) -> list[list[int]]:
        """The ids that follow a prompt, cut as behind it: the first word of a text may be cut otherwise."""
        frame = self.frame
        texts = [f"{frame.between}{frame.lead}{_tidy(answer)}{frame.end}" for answer in answers]
        found = []
        for text, ids in zip(texts, self._ids(texts), strict=True):
            behind = ids[: len(self._carrier)] == self._carrier
            found.append(ids[len(self._carrier) :] if behind else self._behind(text, len(frame.between)))
        return found

    def _behind(self, text: str, start: int) -> list[int]:
        """The ids of a text from the character ``start`` on, where a token spans the border."""
        cut = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return [
            token
            for token, (_, end) in zip(cut["input_ids"], cut["offset_mapping"], strict=True)
            if end > start
        ]

    @property
    def refusal(self) -> int:
        """The first token of “I don't know”."""
        return self.answers([DONT_KNOW])[0][0]

    def text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []


def _tidy(text: str) -> str:
    return " ".join(text.split())


class PlainPrompts:
    """Prompts cut in the tokenizer's own way."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def prompts(self, questions: Sequence[str], random: Random) -> list[list[int]]:
        return self._encoder.prompts(questions)


class DropoutEncoder:
    """Prompts with merges left out at random (BPE-dropout, Provilkov et al. 2020), for byte-level BPE.

    The tokenizer library cannot be seeded, so it is done here.
    """

    def __init__(self, encoder: Encoder, dropout: float, seed: int) -> None:
        self._encoder, self._dropout, self._seed = encoder, dropout, seed
        backend = encoder.tokenizer.backend_tokenizer
        self._split = backend.pre_tokenizer.pre_tokenize_str
        model = json.loads(backend.to_str())["model"]
        self._vocabulary: dict[str, int] = model["vocab"]
        self._ranks = {tuple(merge): rank for rank, merge in enumerate(model["merges"])}
        self._variants: dict[str, list[list[int]]] = {}
        # The built-in template writes a blank in front of the question, which is part of its first piece.
        frame = encoder.frame
        self._blank = frame.before[len(frame.before.rstrip()) :]
        self._before, self._between = (
            encoder.tokenizer(text, add_special_tokens=False)["input_ids"]
            for text in (frame.before.rstrip(), frame.between)
        )

    def prompts(self, questions: Sequence[str], random: Random) -> list[list[int]]:
        """The prompts' ids; the same for the same state of ``random``."""
        return [self._prompt(question, random) for question in questions]

    def _prompt(self, question: str, random: Random) -> list[int]:
        ids = [*self._before]
        for piece, _ in self._split(f"{self._blank}{question}"):
            variants = self._variants.get(piece) or self._cut(piece)
            ids += variants[int(random.random() * len(variants))]
        return ids + self._between

    def _cut(self, piece: str) -> list[list[int]]:
        random = Random(f"{self._seed}:{piece}")  # noqa: S311 - not for secrets
        count = VARIANTS if self._dropout else 1
        variants = [[self._vocabulary[token] for token in self._merge(piece, random)] for _ in range(count)]
        self._variants[piece] = variants
        return variants

    def _merge(self, piece: str, random: Random) -> list[str]:
        """Byte-pair merging in rank order, each possible merge being overlooked with the dropout's probability."""
        tokens = list(piece)
        while True:
            possible = [
                (rank, place)
                for place, pair in enumerate(pairwise(tokens))
                if (rank := self._ranks.get(pair)) is not None and random.random() >= self._dropout
            ]
            if not possible:
                return tokens
            _, place = min(possible)
            tokens[place : place + 2] = [tokens[place] + tokens[place + 1]]
