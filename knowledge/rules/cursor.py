"""A sentence as its parser moves through it: times, prepositional phrases, commas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.rules.clause import Attached
from knowledge.rules.english import looks_like_person_name
from knowledge.rules.phrases import NounPhrase, Parsed, never, noun_phrase, noun_phrases
from knowledge.rules.times import TimeExpression, time_at
from knowledge.rules.tokens import Token
from knowledge.rules.verbs import Unreadable


def _word_sequences(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(each.split()) for each in text.split("; "))


_COMPLEX_PREPOSITIONS = _word_sequences(
    "because of; due to; according to; in front of; next to; instead of; out of; prior to; together with; "
    "along with; on behalf of; as of; north of; south of; east of; west of; northeast of; northwest of; "
    "southeast of; southwest of; in addition to; close to; up to; in cooperation with; "
    "in collaboration with; in partnership with; as part of; as well as; rather than; other than; such as"
)
_DROPPED_PREPOSITIONS = _word_sequences(
    "because of; due to; instead of; rather than; such as; as well as; in addition to"
)
_FURTHER_TIME = re.compile(r",?\s+and\s+")
CLOSING = frozenset({".", ";", "!", ":"})


@dataclass
class SentenceCursor:
    """The tokens of one sentence and what can be asked of the place at an index."""

    text: str
    tokens: Sequence[Token]
    _inside_subject: bool = False

    def at(self, index: int) -> Token | None:
        return self.tokens[index] if index < len(self.tokens) else None

    def _comma_at(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].text == ","

    def _after_comma(self, index: int) -> int:
        return index + 1 if self._comma_at(index) else index

    def _comma_after(self, index: int) -> int | None:
        return next((at for at in range(index, len(self.tokens)) if self.tokens[at].text == ","), None)

    def _words(self, start: int, end: int) -> str:
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if start < end else ""

    def _sentence_end(self, index: int) -> int:
        ends = (at for at in range(index, len(self.tokens)) if self.tokens[at].text in CLOSING)
        return next(ends, len(self.tokens))

    def _segment_end(self, index: int) -> int:
        ends = (
            at for at in range(index, len(self.tokens)) if self.tokens[at].text in (",", ";", ".", "—", "–")
        )
        return next(ends, len(self.tokens))

    def _verb_follows(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].may_be("VBZ", "VBD", "VB", "AUX", "MD", "R")

    def _time(self, index: int) -> tuple[TimeExpression, int] | None:
        if index >= len(self.tokens):
            return None
        found = time_at(self.text, self.tokens[index].start)
        if found is None:
            return None
        expression, end = found
        while (further := _FURTHER_TIME.match(self.text, end)) and (
            more := time_at(self.text, further.end())
        ):
            if more[0].role != expression.role or self._is_verb_at(more[1]):
                break  # "on 19 June, and in July moved": the second time belongs to the second verb
            expression = replace(expression, text=self.text[self.tokens[index].start : more[1]])
            end = more[1]
        after = next(
            (at for at in range(index, len(self.tokens)) if self.tokens[at].start >= end), len(self.tokens)
        )
        return expression, after

    def _is_verb_at(self, offset: int) -> bool:
        """Does a finite verb stand at this offset of the text, after a blank?"""
        token = next((token for token in self.tokens if token.start >= offset), None)
        return token is not None and not token.is_name and token.may_be("VBD", "VBZ", "AUX")

    def _attached(
        self, index: int, *, after_verb: bool = False, single: bool = False, in_subject: bool = False
    ) -> tuple[Attached, int] | None:
        """The prepositional phrase at ``index``, or None. "Of" opens one only straight after a verb.

        ``single`` takes one noun phrase only: before the subject, a comma ends the phrase. ``in_subject`` says
        that the verb of the clause is still to come.
        """
        if index >= len(self.tokens) or self._time(index) is not None:
            return None
        words = tuple(token.lower for token in self.tokens[index : index + 3])
        if words[:2] in (("at", "least"), ("at", "most")):
            return None
        if words[:2] == ("as", "well") and words[2:] != ("as",):
            return None
        if words[0] == "as" and (
            words[2:] == ("as",) or words[1:2] in (("far",), ("much",), ("long",), ("soon",))
        ):
            raise Unreadable("a comparison")
        compound = next((each for each in _COMPLEX_PREPOSITIONS if words[: len(each)] == each), None)
        if compound == ("according", "to"):
            raise Unreadable("attributed to a source")
        if compound is None and not self.tokens[index].may_be("IN", "TO"):
            return None
        if words[0] == "than" or (words[0] == "of" and not after_verb):
            return None
        width = len(compound) if compound else 1
        read = noun_phrase if single else noun_phrases
        stops = self._is_verb if in_subject or self._inside_subject else never
        parsed = read(self.tokens, index + width, stops) if self._has_noun(index + width) else None
        if parsed is None:
            return None
        phrase, end = self._with_region(*parsed)
        return Attached(" ".join(words[:width]), phrase), end

    def _with_region(self, phrase: NounPhrase, index: int) -> Parsed:
        """ "Avon, Ohio" is one place: a name after a comma that the clause or an aside ends on."""
        named = phrase.kind == "name" and not phrase.items and not phrase.modifiers
        if not named or not self._comma_at(index) or index + 1 >= len(self.tokens):
            return phrase, index
        region = self.tokens[index + 1]
        after = self.tokens[index + 2] if index + 2 < len(self.tokens) else None
        ends = (
            after is None
            or after.text in (",", ".", ";")
            or after.may_be("IN")
            or self._time(index + 2) is not None
        )
        if (
            not region.is_name
            or not ends
            or self._enumerates(index + 2)
            or looks_like_person_name(region.text)
        ):
            return phrase, index
        return self._with_region(replace(phrase, core=f"{phrase.core}, {region.text}"), index + 2)

    def _enumerates(self, index: int) -> bool:
        """Do further items and an "and" follow the comma at ``index``?"""
        if not self._comma_at(index):
            return False
        after = self.tokens[index + 1 : index + 3]
        if not after or after[0].lower == "and":
            return bool(after)
        return len(after) > 1 and after[0].is_name and after[1].lower in ("and", ",")

    def _has_noun(self, index: int) -> bool:
        if index >= len(self.tokens):
            return False
        token = self.tokens[index]
        after_to = self.tokens[index - 1].lower == "to"
        return not (
            after_to and token.may_be("VB") and not token.is_name and not self._is_noun_after_to(index)
        )

    def _is_noun_after_to(self, index: int) -> bool:
        following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        ends = following is None or following.may_be("PUNCT", "IN") or self._time(index + 1) is not None
        return self.tokens[index].may_be("N", "NS") and ends

    def _is_dropped(self, index: int) -> bool:
        """ "because of", "due to": reasons are left out, with all that follows in their segment."""
        words = tuple(token.lower for token in self.tokens[index : index + 3])
        return any(words[: len(each)] == each for each in _DROPPED_PREPOSITIONS)

    def _is_verb(self, tokens: Sequence[Token], index: int) -> bool:
        """In a subject: is this word, which could be a noun, the verb of the clause?"""
        token, before = tokens[index], tokens[index - 1]
        if token.is_name or not token.may_be("VBZ", "VBD", "VB", "AUX", "MD"):
            return False
        if not token.may_be("N", "NS", "J", "CD") or token.may_be("AUX", "MD"):
            return token.may_be("VBZ", "VBD", "AUX", "MD") or before.may_be("NS")
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if following is None or following.may_be("AUX", "MD") or following.lower == "such":
            return False
        if token.may_be("VBD") and not token.may_be("N", "NS"):
            return not (before.is_name and _noun_then_verb(tokens, index))
        if token.may_be("NS", "N") and following.lower == "of":
            return False
        if token.may_be("VB") and before.is_name and any(each.lower == "and" for each in tokens[:index]):
            return following.may_be("DT", "PN", "CD", "IN", "TO", "R", "NS")
        if token.may_be("VBD") and token.may_be("N"):
            return following.may_be("CD", "DT", "PN", "PP$") and not _finite_verb_later(tokens, index + 1)
        if token.may_be("VBZ") and not token.may_be("NS") and token.lower.endswith("s"):  # "comes", "goes"
            return not _finite_verb_later(tokens, index + 1)
        if before.is_name and token.may_be("VBZ") and following.may_be("J") and _noun_at(tokens, index + 2):
            return not _finite_verb_later(tokens, index + 2)  # "X makes canned tuna"
        if token.may_be("NS") and following.may_be("VBD", "VBZ") and not following.may_be("N", "NS", "R"):
            return False
        if token.may_be("VBZ") and token.may_be("NS"):
            return not before.may_be("NS") and not _finite_verb_later(tokens, index + 1)
        opens = following.may_be("DT", "PN", "CD", "IN", "TO", "R", "PP$")
        return (
            token.may_be("VB") and before.may_be("NS") and opens and not _finite_verb_later(tokens, index + 1)
        )


def _noun_then_verb(tokens: Sequence[Token], index: int) -> bool:
    """ "the Oslo based company opened": a participle before a noun that a verb follows."""
    return (
        index + 2 < len(tokens)
        and tokens[index + 1].may_be("N")
        and tokens[index + 2].may_be("VBZ", "VBD", "AUX", "MD")
    )


def _noun_at(tokens: Sequence[Token], index: int) -> bool:
    return index < len(tokens) and tokens[index].may_be("N", "NS")


def _finite_verb_later(tokens: Sequence[Token], index: int) -> bool:
    """Is there a word further on in this clause that can be nothing but its verb?"""
    for token in tokens[index:]:
        if token.may_be("WH", "SC") or token.text in (",", ";", "and", "but"):
            return False
        if token.may_be("AUX", "MD"):
            return True
        if token.may_be("VBZ", "VBD") and not token.may_be("N", "NS", "J", "VBN", "R"):
            return True
    return False
