"""The clauses of one sentence: subject, verb, object, and the phrases around them.

The parser goes from left to right and never guesses: what it cannot place makes the sentence unread, except
where leaving a part out cannot change the truth of the rest (a relative clause, "because ...").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.rules import lexicon
from knowledge.rules.clause import Apposition, Attached, Clause, last_name, with_modifier
from knowledge.rules.english import is_person_noun, is_place_noun
from knowledge.rules.phrases import NounPhrase, Parsed, noun_phrase, noun_phrases
from knowledge.rules.predicates import VerbPhraseReader
from knowledge.rules.verbs import Unreadable, passive_group, refuse_negation, skip_adverbs, verb_group

_DROPPED_OPENINGS = lexicon.words("a an the such including")
#: Before the subject these compare or set apart; they say nothing of what the subject does.
_COMPARING = lexicon.words("like unlike besides despite with without among amongst except")
_STATE_PARTICIPLES = lexicon.words(
    "located situated based headquartered known called named housed set nestled"
)


@dataclass
class SentenceParser(VerbPhraseReader):
    """Parses one tokenised sentence; ``clauses`` and ``appositions`` hold what it found."""

    def parse(self) -> None:
        """Fill ``clauses`` and ``appositions``; raises Unreadable with the reason."""
        index, leading, participle = self._leading(0)
        self._main_clause(index, leading, participle)

    def _leading(self, index: int) -> tuple[int, list[Attached], int | None]:
        """Skip conjunctions and adverbs, take times and places, note a participle: "Founded in 1998, ..." """
        taken: list[Attached] = []
        participle = None
        for _ in range(4):
            if index >= len(self.tokens):
                raise Unreadable("no main clause")
            token = self.tokens[index]
            if (timed := self._time(index)) is not None:
                taken.append(Attached("", time=timed[0]))
                index = self._after_comma(timed[1])
            elif token.lower in ("and", "but", "so", "yet") and "CC" in token.tags | {"CC"}:
                index += 1
            elif self._is_leading_adverb(index):
                _, after = skip_adverbs(self.tokens, index)
                index = self._after_comma(after)
            elif (
                token.may_be("VBN")
                and not token.may_be("N", "NS", "PN")
                and (end := self._comma_after(index))
            ):
                participle = index
                index = end + 1
            elif token.lower in ("if", "unless", "whether") or token.lower == "according":
                raise Unreadable(f"conditional or attributed: “{token.text}”")
            elif self._is_subordinate(index) and (end := self._comma_after(index)):
                index = end + 1
            elif (
                token.may_be("IN")
                and (phrase := self._attached(index, single=True))
                and self._comma_at(phrase[1])
            ):
                if phrase[0].preposition not in _COMPARING:
                    taken.append(phrase[0])
                index = self._after_comma(phrase[1])
            else:
                break
        return index, taken, participle

    def _is_leading_adverb(self, index: int) -> bool:
        token = self.tokens[index]
        needs_comma = token.lower in ("there", "first", "once", "since")
        if token.is_name or (needs_comma and not self._comma_at(index + 1)):
            return False
        return token.lower in lexicon.DROPPABLE_ADVERBS | lexicon.HEDGES or (
            token.tags == {"R"} and token.lower.endswith("ly")
        )

    def _is_subordinate(self, index: int) -> bool:
        token = self.tokens[index]
        if token.lower in ("although", "though", "while", "because", "when", "as", "whereas", "once"):
            return True
        following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        return token.lower in ("after", "before", "by", "since", "upon", "on", "in", "while", "besides") and (
            following is not None and following.may_be("VBG", "PRP")
        )

    def _main_clause(self, index: int, leading: Sequence[Attached], participle: int | None = None) -> None:
        if self.tokens[index].lower == "there" and index + 1 < len(self.tokens):
            raise Unreadable("“there is” names no subject")
        subject, index = self._subject(index)
        subject, index = self._beside_subject(subject, index)
        first = len(self.clauses)
        end = self._verb_phrase(subject, index, leading, "")
        if participle is not None and first < len(self.clauses):
            self._leading_participle(participle, self.clauses[first])
        self._rest(subject, end)

    def _subject(self, index: int) -> Parsed:
        refuse_negation(self.tokens, index)
        parsed = noun_phrases(self.tokens, index, self._is_verb)
        if parsed is None:
            raise Unreadable("no subject found")
        subject, index = parsed
        while (
            (phrase := self._attached(index, in_subject=True)) is not None
            and phrase[0].time is None
            and phrase[0].phrase
        ):
            subject = with_modifier(subject, phrase[0])
            index = phrase[1]
        return subject, index

    def _beside_subject(self, subject: NounPhrase, index: int) -> Parsed:
        """What stands between subject and verb: ", the head of sales,", ", who ...,", ", founded in 1998,"."""
        while self._comma_at(index):
            known = len(self.appositions)
            end = self._aside(subject, index + 1)
            if end is None:
                raise Unreadable("words between subject and verb")
            index = end
            if (
                len(self.appositions) > known
                and self.appositions[-1].predicate.kind == "name"
                and subject.kind == "common"
            ):
                subject = self.appositions[-1].predicate
        token = self.tokens[index] if index < len(self.tokens) else None
        if token is not None and token.lower in ("who", "which", "that") and "WH" in token.tags:
            return self._restrictive(subject, index)
        return subject, index

    def _aside(self, subject: NounPhrase, index: int) -> int | None:
        """Read one insertion after the comma at ``index - 1``; the index after its closing comma."""
        token = self.tokens[index] if index < len(self.tokens) else None
        if token is None:
            return None
        if token.lower in ("except", "excluding", "but", "not", "or"):
            raise Unreadable(f"an exception: “{token.text}”")
        if token.lower in ("who", "which") and self._verb_follows(index + 1):
            return self._closing(self._verb_phrase(subject, index + 1, (), "", commas=False))
        if token.may_be("VBN") and not token.may_be("N", "NS"):
            end = self._comma_after(index)
            return end + 1 if end is not None and self._participle(subject, index, present=True) else None
        if token.lower in (
            "whose",
            "where",
            "who",
            "whom",
            "which",
            "including",
            "also",
            "aged",
        ) or token.may_be("IN"):
            end = self._comma_after(index)
            return end + 1 if end is not None else None
        return self._apposed(subject, index) or self._dropped_aside(index)

    def _dropped_aside(self, index: int) -> int | None:
        """ "X, our driver for 25 years, retired": an insertion without a verb may be left out."""
        end = self._comma_after(index)
        is_age = end == index + 1 and self.tokens[index].may_be("CD")
        if end is not None and is_age and self._verb_follows(end + 1):
            return end + 1
        if end is None or not self._verb_follows(end + 1) or not self.tokens[index].may_be("DT", "PP$"):
            return None
        has_verb = any(token.may_be("VBZ", "VBD", "AUX", "MD") for token in self.tokens[index:end])
        return None if has_verb else end + 1

    def _closing(self, index: int) -> int:
        if not self._comma_at(index):
            raise Unreadable("insertion without an end")
        return index + 1

    def _apposed(self, subject: NounPhrase, index: int) -> int | None:
        parsed = noun_phrases(self.tokens, index, self._is_verb)
        if parsed is None:
            return None
        phrase, end = parsed
        attached = []
        while (more := self._attached(end)) is not None:
            attached.append(more[0])
            end = more[1]
        described = phrase.determiner or phrase.owner or phrase.kind == "name" or is_person_noun(phrase.core)
        if not self._comma_at(end) or not described:
            return None
        self.appositions.append(Apposition(subject, phrase, tuple(attached)))
        return end + 1

    def _restrictive(self, subject: NounPhrase, index: int) -> Parsed:
        """ "The engineer who designed Atlas lives": the relative clause stays part of the subject."""
        before = len(self.clauses)
        self._inside_subject = True
        end = self._verb_phrase(subject, index + 1, (), "")
        self._inside_subject = False
        del self.clauses[before:]
        return replace(subject, tail=self._words(index, end)), end

    def _leading_participle(self, index: int, main: Clause) -> None:
        present = not main.group.verb.past
        if main.subject.owner is not None or main.subject.determiner.lower() in lexicon.POSSESSIVES:
            return  # "Established in 1845, its first bishop was ...": not the bishop
        self._participle(main.subject, index, present=present)

    def _participle(self, subject: NounPhrase, index: int, *, present: bool) -> bool:
        """ "founded in 1998 by X" about a subject: a passive clause of its own."""
        token = self.tokens[index]
        if token.is_name:
            return False
        be = "is" if present and token.lower in _STATE_PARTICIPLES else "was"
        if subject.is_many:
            be = {"is": "are", "was": "were"}[be]
        try:
            found = verb_group(self.tokens, index, subject.is_many, shared=be)
            if found is None or not found[0].verb.passive:
                return self._participle_by_form(subject, index, be)
            clause, _ = self._adjuncts(Clause(subject, found[0]), found[1])
        except Unreadable:
            return self._participle_by_form(subject, index, be)
        self.clauses.append(clause)
        return True

    def _participle_by_form(self, subject: NounPhrase, index: int, be: str) -> bool:
        """The same where the form could also be a past tense: at this place it cannot."""
        group = passive_group(self.tokens[index], be)
        if group is None:
            return False
        try:
            clause, _ = self._adjuncts(Clause(subject, group), index + 1)
        except Unreadable:
            return False
        self.clauses.append(clause)
        return True

    def _rest(self, subject: NounPhrase, index: int) -> None:
        """After the main clause: further clauses are read, asides are dropped, anything else is refused."""
        while index < len(self.tokens) and self.tokens[index].text not in (".", "!"):
            token = self.tokens[index]
            if token.text == ":" and (end := self._enumeration(index + 1)) is not None:
                index = end
                continue
            if token.text == ";" or token.lower in ("and", "but", "—", "–"):
                self._next_clause(index + 1)
                return
            if token.text != ",":
                raise Unreadable(f"cannot place “{token.text}”")
            following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
            if following is None:
                return
            if following.lower in ("and", "but", "so"):
                self._next_clause(index + 2)
                return
            index = self._trailing(index + 1)

    def _enumeration(self, index: int) -> int | None:
        """The items that a colon or comma announces after "six languages" or "two daughters"."""
        last = self.clauses[-1]
        announced = last.object or last.predicate
        parsed = noun_phrases(self.tokens, index, bare_list=True)
        if announced is None or not announced.plural or parsed is None or not parsed[0].items:
            return None
        if parsed[1] < len(self.tokens) and self.tokens[parsed[1]].text not in ".;":
            return None
        self.appositions.append(Apposition(announced, parsed[0]))
        return parsed[1]

    def _next_clause(self, index: int) -> None:
        """A further main clause; if it cannot be read, what was read before it still stands."""
        if index >= len(self.tokens):
            return
        try:
            start, leading, _ = self._leading(index)
            self._main_clause(start, leading)
        except Unreadable:
            return

    def _trailing(self, index: int) -> int:
        """An aside after the main clause: an apposition or relative clause to the last name, or dropped."""
        token = self.tokens[index]
        last = self.clauses[-1]
        if (timed := self._time(index)) is not None:
            self.clauses[-1] = replace(last, attached=(*last.attached, Attached("", time=timed[0])))
            return timed[1]
        if token.lower in ("if", "unless", "not"):
            raise Unreadable(f"conditional or negated: “{token.text}”")
        announced = last.object or last.predicate
        counted = announced is not None and announced.counted and not last.attached
        if counted and (end := self._enumeration(index)) is not None:
            return end
        if token.lower in ("a", "an", "the") and (end := self._trailing_apposition(last, index)) is not None:
            return end
        if token.lower in ("which", "who") and self._verb_follows(index + 1):
            if self._has_dropped:
                return self._segment_end(index)
            return self._trailing_relative(last, index)
        if token.is_name and self.tokens[index - 2].is_name and self._is_region(index):
            return index + 1
        if token.is_name and (described := _description(last)) is not None and self._is_region(index):
            name = NounPhrase("name", core=token.text, head=token.lower)
            self.appositions.append(Apposition(described, name))
            self.clauses[-1] = _with_last(last, name)
            return index + 1
        droppable = (
            token.may_be("WH", "VBG", "VBN", "SC", "IN", "R", "TO") or token.lower in _DROPPED_OPENINGS
        )
        if droppable and not token.is_name:
            self._has_dropped = True
            return self._segment_end(index)
        raise Unreadable(f"cannot place “{token.text}” after the comma")

    def _is_region(self, index: int) -> bool:
        """ "..., Ohio." after a name: the region may be left out, unless it is an item of a list."""
        after = self.at(index + 1)
        ends = after is None or after.text in (",", ".", ";")
        return ends and not any(token.lower in ("and", "or") for token in self.tokens[index:])

    def _trailing_apposition(self, last: Clause, index: int) -> int | None:
        name = last_name(last)
        parsed = noun_phrase(self.tokens, index)
        if name is None or parsed is None or not _may_explain(parsed[0], last):
            return None
        attached = []
        end = parsed[1]
        while (more := self._attached(end)) is not None:
            attached.append(more[0])
            end = more[1]
        if end < len(self.tokens) and self.tokens[end].text not in (",", ".", ";"):
            return None
        if parsed[0].determiner != "the" or parsed[0].modifiers or attached:
            self.appositions.append(Apposition(name, parsed[0], tuple(attached)))
        return end

    def _trailing_relative(self, last: Clause, index: int) -> int:
        name = last_name(last)
        before = len(self.clauses)
        if name is None:
            return self._segment_end(index)
        try:
            return self._verb_phrase(name, index + 1, (), "")
        except Unreadable:
            del self.clauses[before:]
            return self._segment_end(index)


def _may_explain(phrase: NounPhrase, clause: Clause) -> bool:
    """After "in Turin, ..." only a place explains the place: anything else goes back to somebody before it."""
    placed = bool(clause.attached) and clause.attached[-1].preposition in lexicon.PLACE_PREPOSITIONS
    return not placed or is_place_noun(phrase.core)


def _description(clause: Clause) -> NounPhrase | None:
    """What a name after it explains: "told the manager, Paul Dietz", "run by his daughter, Isla Rennie"."""
    described = clause.attached[-1].phrase if clause.attached else clause.object or clause.predicate
    if described is None or described.kind != "common" or described.plural or described.items:
        return None
    definite = described.determiner in lexicon.POSSESSIVES | {"the"}
    return described if definite or described.owner is not None else None


def _with_last(clause: Clause, name: NounPhrase) -> Clause:
    """The clause with a name in the place of the description that ends it."""
    if not clause.attached:
        return replace(clause, object=name) if clause.object else replace(clause, predicate=name)
    *front, described = clause.attached
    return replace(clause, attached=(*front, replace(described, phrase=name)))
