"""The clauses of one sentence: subject, verb, object, and the phrases around them.

The parser goes from left to right and never guesses: what it cannot place makes the sentence unread, except
where leaving a part out cannot change the truth of the rest (a relative clause, "because ...").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from knowledge.rules import lexicon
from knowledge.rules.english import singular
from knowledge.rules.facts import Verb
from knowledge.rules.phrases import NounPhrase, Parsed, never, noun_phrase, noun_phrases
from knowledge.rules.times import TimeExpression, TimeRole, time_at
from knowledge.rules.tokens import Token
from knowledge.rules.verbs import Unreadable, VerbGroup, skip_adverbs, verb_group

_COMPLEX_PREPOSITIONS = tuple(
    tuple(each.split())
    for each in [
        "because of",
        "due to",
        "according to",
        "in front of",
        "next to",
        "instead of",
        "out of",
        "prior to",
        "together with",
        "along with",
        "on behalf of",
        "as of",
        "north of",
        "south of",
        "east of",
        "west of",
        "in addition to",
        "close to",
        "up to",
        "in cooperation with",
        "in collaboration with",
        "in partnership with",
        "as part of",
        "as well as",
        "rather than",
        "other than",
        "such as",
    ]
)
_DROPPED_PREPOSITIONS = {
    tuple(each.split())
    for each in [
        "because of",
        "due to",
        "instead of",
        "rather than",
        "such as",
        "as well as",
        "in addition to",
    ]
}
_STATE_PARTICIPLES = lexicon.words(
    "located situated based headquartered known called named housed set nestled"
)
#: Verbs that keep a noun after them in the passive: "was appointed head of sales", "was awarded the prize".
_WITH_SECOND_OBJECT = lexicon.words(
    "appoint elect name call make crown declare rename award give grant offer pay"
)
_NEVER_IN_A_VALUE = ("AUX", "MD", "NEG", "PRP", "PP$", "WH", "SC", "QUOTE")
_CLOSING = frozenset({".", ";", "!", ":"})


@dataclass(frozen=True)
class Attached:
    """A phrase with its preposition ("in Oslo", "as an engineer") or an expression of time."""

    preposition: str
    phrase: NounPhrase | None = None
    time: TimeExpression | None = None


@dataclass(frozen=True)
class Clause:
    """A clause in parts. ``predicate`` follows a form of "be"; ``adjective`` likewise ("open", "30 metres tall").

    ``raw`` is the predicate's text where it is no phrase ("to reduce costs").
    """

    subject: NounPhrase
    group: VerbGroup
    object: NounPhrase | None = None
    predicate: NounPhrase | None = None
    adjective: str = ""
    raw: str = ""
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True)
class Apposition:
    """ "Mara Lind, the head of research": two phrases for one thing."""

    subject: NounPhrase
    predicate: NounPhrase
    attached: tuple[Attached, ...] = ()


@dataclass
class SentenceParser:
    """Parses one tokenised sentence; ``clauses`` and ``appositions`` hold what it found."""

    text: str
    tokens: Sequence[Token]
    clauses: list[Clause] = field(default_factory=list)
    _inside_subject: bool = False
    appositions: list[Apposition] = field(default_factory=list)

    def parse(self) -> None:
        """Fill ``clauses`` and ``appositions``; raises Unreadable with the reason."""
        index, leading, participle = self._leading(0)
        self._main_clause(index, leading, participle)

    # What stands before the subject

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
                and (phrase := self._attached(index)) is not None
                and self._comma_at(phrase[1])
            ):
                taken.append(phrase[0])
                index = phrase[1] + 1
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

    def _comma_at(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].text == ","

    def _after_comma(self, index: int) -> int:
        return index + 1 if self._comma_at(index) else index

    def _comma_after(self, index: int) -> int | None:
        return next((at for at in range(index, len(self.tokens)) if self.tokens[at].text == ","), None)

    # The subject and its clause

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
        parsed = noun_phrases(self.tokens, index, self._is_verb)
        if parsed is None:
            raise Unreadable("no subject found")
        subject, index = parsed
        while (phrase := self._attached(index)) is not None and phrase[0].time is None and phrase[0].phrase:
            subject = with_modifier(subject, phrase[0])
            index = phrase[1]
        return subject, index

    def _is_verb(self, tokens: Sequence[Token], index: int) -> bool:
        """In a subject: is this word, which could be a noun, the verb of the clause?"""
        token, before = tokens[index], tokens[index - 1]
        if token.is_name or not token.may_be("VBZ", "VBD", "VB", "AUX", "MD"):
            return False
        if not token.may_be("N", "NS", "J", "CD") or token.may_be("AUX", "MD"):
            return token.may_be("VBZ", "VBD", "AUX", "MD") or before.may_be("NS")
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if following is None or following.may_be("AUX", "MD"):
            return False
        if token.may_be("VBD") and not token.may_be("N", "NS"):
            return not (before.is_name and _noun_then_verb(tokens, index))
        if token.may_be("VBZ") and token.may_be("NS"):
            return not before.may_be("NS") and not _finite_verb_later(tokens, index + 1)
        return (
            token.may_be("VB") and before.may_be("NS") and following.may_be("DT", "PN", "CD", "IN", "TO", "R")
        )

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
        return self._apposed(subject, index)

    def _verb_follows(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].may_be("VBZ", "VBD", "VB", "AUX", "MD", "R")

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
        if not self._comma_at(end):
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

    def _words(self, start: int, end: int) -> str:
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if start < end else ""

    # The verb and what follows it

    def _verb_phrase(
        self,
        subject: NounPhrase,
        index: int,
        leading: Sequence[Attached],
        shared: str,
        *,
        commas: bool = True,
    ) -> int:
        """Read verb, object and adjuncts, then further verb phrases after "and"; the index after them."""
        try:
            if _names_property(subject) and self._is_plain_value(index + 1):
                raise Unreadable("words that stand for a value")
            clause, end = self._clause_at(subject, index, shared)
        except Unreadable:
            if not (_names_property(subject) and self.tokens[index].lower in ("is", "are", "was", "were")):
                raise
            clause, end = self._plain_value(subject, index)
        index, group = end, clause.group
        self.clauses.append(replace(clause, attached=(*clause.attached, *leading)))
        if self._comma_at(index) and not commas:
            return index
        return self._further_verb_phrases(subject, index, group.shared)

    def _second_verb(self, index: int) -> bool:
        token = self.tokens[index]
        return token.text not in (",", ".", ";", "and", "or", "but") and token.may_be(
            "VBZ", "VBD", "AUX", "MD"
        )

    def _further_verb_phrases(self, subject: NounPhrase, index: int, shared: str) -> int:
        start = index + 1 if self._comma_at(index) else index
        if start + 1 >= len(self.tokens):
            return index
        if self.tokens[start].lower in ("and", "but", "then"):
            start += 1
        elif not (self._comma_at(index) and self._surely_finite(start)):
            return index
        try:
            if not self._verb_follows(self._past_adverbs(start)) or self.tokens[start].is_name:
                return index
            return self._verb_phrase(subject, start, (), shared)
        except Unreadable:
            return len(self.tokens)

    def _surely_finite(self, index: int) -> bool:
        """After a comma: can this word only be a further verb ("won A, lost B and ...")?"""
        token = self.tokens[index]
        if token.is_name or not token.may_be("VBZ", "VBD", "AUX") or token.lower in ("being", "having"):
            return False
        if token.may_be("AUX") or not token.may_be("VBN", "NS", "N"):
            return True
        following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        return following is not None and following.may_be("DT", "PN", "CD", "PP$")

    def _past_adverbs(self, index: int) -> int:
        return skip_adverbs(self.tokens, index)[1]

    def _complement(self, clause: Clause, index: int) -> tuple[Clause, int]:
        if clause.group.copular:
            clause, index = self._predicate(clause, index)
        elif not clause.group.verb.passive or clause.group.verb.lemma in _WITH_SECOND_OBJECT:
            clause, index = self._object(clause, index)
        return self._adjuncts(clause, index)

    def _object(self, clause: Clause, index: int) -> tuple[Clause, int]:
        _, index = skip_adverbs(self.tokens, index)
        if self._time(index) is not None or not self._starts_noun_phrase(index):
            return clause, index
        parsed = noun_phrases(self.tokens, index, self._is_verb if self._inside_subject else never)
        if parsed is None:
            return clause, index
        return replace(clause, object=parsed[0]), parsed[1]

    def _starts_noun_phrase(self, index: int) -> bool:
        return index < len(self.tokens) and not self.tokens[index].may_be(
            "IN", "TO", "PUNCT", "WH", "SC", "AUX", "MD"
        )

    def _clause_at(self, subject: NounPhrase, index: int, shared: str) -> tuple[Clause, int]:
        found = verb_group(self.tokens, index, subject.is_many, shared)
        if found is None:
            raise Unreadable("no main verb found")
        clause, index = self._complement(Clause(subject, found[0]), found[1])
        if index < len(self.tokens) and self._second_verb(index) and not self._inside_subject:
            raise Unreadable(f"second verb “{self.tokens[index].text}”")
        return clause, index

    def _plain_value(self, subject: NounPhrase, index: int) -> tuple[Clause, int]:
        """The value of a property that is no phrase the parser knows: its plain words as they stand."""
        be = self.tokens[index].lower
        group = VerbGroup(Verb("be", be, be, "", past=be in ("was", "were")), copular=True)
        end = self._sentence_end(index)
        words = self.tokens[index + 1 : end]
        if not words or any(token.may_be(*_NEVER_IN_A_VALUE) for token in words):
            raise Unreadable("the value of the property is not understood")
        if any(token.lower in lexicon.HEDGES for token in words):
            raise Unreadable("the value of the property is hedged")
        return Clause(subject, group, raw=self._words(index + 1, end)), end

    def _is_plain_value(self, index: int) -> bool:
        """ "(is) building surveyor", "(is) chartered accountant": after a property these are no verb forms."""
        if index >= len(self.tokens) or self.tokens[index - 1].lower not in ("is", "are", "was", "were"):
            return False
        token, following = (
            self.tokens[index],
            self.tokens[index + 1] if index + 1 < len(self.tokens) else None,
        )
        if token.is_name or not token.may_be("VBG", "VBN"):
            return False
        verbal = following is not None and (
            following.may_be("IN", "TO", "DT") or self._time(index + 1) is not None
        )
        return not (token.may_be("VBN") and verbal)

    def _sentence_end(self, index: int) -> int:
        ends = (at for at in range(index, len(self.tokens)) if self.tokens[at].text in _CLOSING)
        return next(ends, len(self.tokens))

    def _predicate(self, clause: Clause, index: int) -> tuple[Clause, int]:
        if index >= len(self.tokens) or self._time(index) is not None or self.tokens[index].may_be("IN"):
            if index < len(self.tokens) and self.tokens[index].lower in ("about", "around", "over", "up"):
                return self._nominal_predicate(clause, index)
            return clause, index
        token = self.tokens[index]
        if token.may_be("TO") or token.may_be("WH", "SC") or token.lower == "that":
            end = self._segment_end(index)
            if token.may_be("TO"):
                return replace(clause, raw=self._words(index, end)), end
            raise Unreadable("a clause as predicate")
        adjective = self._adjective_end(index)
        if adjective is not None:
            return replace(clause, adjective=self._words(index, adjective)), adjective
        return self._nominal_predicate(clause, index)

    def _nominal_predicate(self, clause: Clause, index: int) -> tuple[Clause, int]:
        parsed = noun_phrases(self.tokens, index, bare_list=clause.subject.is_many)
        if parsed is None:
            raise Unreadable("predicate not understood")
        phrase, index = parsed
        following = self.tokens[index] if index < len(self.tokens) else None
        if (
            phrase.counted
            and following is not None
            and following.lower in ("tall", "long", "high", "wide", "deep", "old", "thick", "away")
        ):
            return replace(clause, adjective=f"{phrase.text} {following.text}"), index + 1
        return replace(clause, predicate=phrase), index

    def _adjective_end(self, index: int) -> int | None:
        """The end of an adjective that stands alone as predicate ("open", "very popular"), or None."""
        while index < len(self.tokens) and (
            self.tokens[index].tags == {"R"} or self.tokens[index].lower in lexicon.DEGREE_ADVERBS
        ):
            index += 1
        if (
            index >= len(self.tokens)
            or not self.tokens[index].may_be("J", "VBN")
            or self.tokens[index].is_name
        ):
            return None
        following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        if following is None or following.may_be("PUNCT", "IN", "TO") or following.text in ("and", "but"):
            is_noun = self.tokens[index].may_be("N", "NS") and not self.tokens[index].may_be("J")
            return None if is_noun or self.tokens[index].may_be("CD") else index + 1
        return index + 1 if self._time(index + 1) is not None else None

    def _adjuncts(self, clause: Clause, index: int) -> tuple[Clause, int]:
        """Times and prepositional phrases, up to a comma, a conjunction or a subordinate clause."""
        attached = list(clause.attached)
        while index < len(self.tokens):
            token = self.tokens[index]
            if (timed := self._time(index)) is not None:
                attached.append(Attached("", time=timed[0]))
                index = timed[1]
            elif self._is_dropped(index):
                index = self._segment_end(index)
            elif self._is_subordinator(index):
                self._refuse_condition(clause, token)
                index = self._segment_end(index)
            elif (phrase := self._attached(index, after_verb=_is_bare(clause) and not attached)) is not None:
                clause, attached = _attach(clause, attached, phrase[0])
                index = phrase[1]
            elif (measure := self._measure(clause, index)) is not None:
                attached.append(Attached("", phrase=measure[0]))
                index = measure[1]
            elif "TO" in token.tags:
                end = self._segment_end(index)
                if clause.predicate is not None and not attached:  # "the first woman to win the prize"
                    clause = replace(clause, predicate=_tailed(clause.predicate, self._words(index, end)))
                index = end
            elif token.may_be("R") and not token.may_be("N", "NS", "PN", "VBD", "VBZ"):
                _, after = skip_adverbs(self.tokens, index)
                index = max(after, index + 1)
            elif self._begins_modifier(clause, attached, index):
                end = self._segment_end(index)
                clause, attached = _with_tail(clause, attached, self._words(index, end))
                index = end
            else:
                break
        return replace(clause, attached=tuple(attached)), self._checked_end(index)

    def _measure(self, clause: Clause, index: int) -> Parsed | None:
        """ "two weeks before departure" after a complete clause."""
        if clause.object is None and clause.predicate is None and not clause.adjective:
            return None
        parsed = noun_phrase(self.tokens, index) if not self.tokens[index].is_name else None
        if parsed is None or singular(parsed[0].head) not in lexicon.TIME_UNITS:
            return None
        phrase, end = parsed
        if not phrase.counted and phrase.determiner not in ("a", "an"):
            return None
        if phrase.determiner in ("a", "an") and (clause.object is None or not clause.object.counted):
            return None
        if (more := self._attached(end)) is not None and more[0].preposition in ("before", "after"):
            return with_modifier(phrase, more[0]), more[1]
        return phrase, end

    def _is_dropped(self, index: int) -> bool:
        """ "because of", "due to": reasons are left out, with all that follows in their segment."""
        words = tuple(token.lower for token in self.tokens[index : index + 3])
        return any(words[: len(each)] == each for each in _DROPPED_PREPOSITIONS)

    def _checked_end(self, index: int) -> int:
        if index >= len(self.tokens):
            return index
        token = self.tokens[index]
        if (
            token.text in _CLOSING | {",", "—", "–", "-"}
            or token.lower in ("and", "or", "but")
            or self._second_verb(index)
        ):
            return index
        raise Unreadable(f"cannot place “{token.text}”")

    def _is_subordinator(self, index: int) -> bool:
        token = self.tokens[index]
        if token.lower in (
            "because",
            "although",
            "though",
            "while",
            "whereas",
            "when",
            "whenever",
            "if",
            "unless",
            "so",
            "until",
            "where",
            "once",
        ):
            return True
        if token.lower not in (
            "after",
            "before",
            "as",
            "since",
            "by",
            "without",
            "for",
            "in",
            "despite",
            "upon",
            "on",
            "from",
            "of",
            "with",
        ):
            return False
        following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        if following is None:
            return False
        if following.may_be("VBG") and not following.may_be("N"):
            return True
        return following.may_be("PRP") and token.lower in ("after", "before", "as", "since")

    def _refuse_condition(self, clause: Clause, token: Token) -> None:
        present = not clause.group.verb.past
        if token.lower in ("if", "unless") or (
            token.lower in ("when", "whenever", "once", "until", "while") and present
        ):
            raise Unreadable(f"conditional: “{token.text}”")

    def _begins_modifier(self, clause: Clause, attached: Sequence[Attached], index: int) -> bool:
        """ "built in 1931", "that controls turbines": words that belong to the noun just before them."""
        token = self.tokens[index]
        if _is_bare(clause) and not attached:
            return False
        if token.lower in ("that", "which", "who", "whose", "whom") and not token.is_name:
            return True
        return token.may_be("VBN", "VBG") and not token.may_be("VBZ") and not token.is_name and index > 0

    def _segment_end(self, index: int) -> int:
        ends = (
            at for at in range(index, len(self.tokens)) if self.tokens[at].text in (",", ";", ".", "—", "–")
        )
        return next(ends, len(self.tokens))

    # Prepositional phrases and times

    def _time(self, index: int) -> tuple[TimeExpression, int] | None:
        if index >= len(self.tokens):
            return None
        found = time_at(self.text, self.tokens[index].start)
        if found is None:
            return None
        expression, end = found
        after = next(
            (at for at in range(index, len(self.tokens)) if self.tokens[at].start >= end), len(self.tokens)
        )
        return expression, after

    def _attached(self, index: int, *, after_verb: bool = False) -> tuple[Attached, int] | None:
        """The prepositional phrase at ``index``, or None. "Of" opens one only straight after a verb."""
        if index >= len(self.tokens) or self._time(index) is not None:
            return None
        words = tuple(token.lower for token in self.tokens[index : index + 3])
        if words[:2] in (("at", "least"), ("at", "most")):
            return None
        compound = next((each for each in _COMPLEX_PREPOSITIONS if words[: len(each)] == each), None)
        if compound == ("according", "to"):
            raise Unreadable("attributed to a source")
        if compound is None and not self.tokens[index].may_be("IN", "TO"):
            return None
        if words[0] == "than" or (words[0] == "of" and not after_verb):
            return None
        width = len(compound) if compound else 1
        parsed = (
            noun_phrases(self.tokens, index + width, self._is_verb) if self._has_noun(index + width) else None
        )
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
        if not region.is_name or not ends or self._enumerates(index + 2):
            return phrase, index
        return self._with_region(replace(phrase, core=f"{phrase.core}, {region.text}"), index + 2)

    def _enumerates(self, index: int) -> bool:
        """Do further items and an "and" follow the comma at ``index``?"""
        if not self._comma_at(index):
            return False
        names = [token for token in self.tokens[index + 1 : index + 3]]
        return bool(names) and (
            names[0].lower == "and"
            or (len(names) > 1 and names[0].is_name and names[1].lower in ("and", ","))
        )

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

    # Participles and the rest of the sentence

    def _leading_participle(self, index: int, main: Clause) -> None:
        present = not main.group.verb.past
        self._participle(main.subject, index, present=present)

    def _participle(self, subject: NounPhrase, index: int, *, present: bool) -> bool:
        """ "founded in 1998 by X" about a subject: a passive clause of its own."""
        token = self.tokens[index]
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
        from knowledge.rules.verbs import passive_group

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
        parsed = noun_phrases(self.tokens, index)
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
        if not last.attached and (end := self._enumeration(index)) is not None:
            return end
        if token.lower in ("a", "an", "the") and (end := self._trailing_apposition(last, index)) is not None:
            return end
        if token.lower in ("which", "who") and self._verb_follows(index + 1):
            return self._trailing_relative(last, index)
        droppable = token.may_be("WH", "VBG", "VBN", "SC", "IN", "R", "TO") or token.lower in (
            "a",
            "an",
            "the",
            "such",
            "including",
        )
        if droppable and not token.is_name:
            return self._segment_end(index)
        raise Unreadable(f"cannot place “{token.text}” after the comma")

    def _trailing_apposition(self, last: Clause, index: int) -> int | None:
        name = _last_name(last)
        parsed = noun_phrase(self.tokens, index)
        if name is None or parsed is None:
            return None
        attached = []
        end = parsed[1]
        while (more := self._attached(end)) is not None:
            attached.append(more[0])
            end = more[1]
        if end < len(self.tokens) and self.tokens[end].text not in (",", ".", ";"):
            return None
        self.appositions.append(Apposition(name, parsed[0], tuple(attached)))
        return end

    def _trailing_relative(self, last: Clause, index: int) -> int:
        name = _last_name(last)
        before = len(self.clauses)
        if name is None:
            return self._segment_end(index)
        try:
            return self._verb_phrase(name, index + 1, (), "")
        except Unreadable:
            del self.clauses[before:]
            return self._segment_end(index)


def _names_property(subject: NounPhrase) -> bool:
    """ "The hobby of X", "X's hobby": a subject whose predicate is a value, whatever words it is made of."""
    owned = subject.owner is not None or subject.determiner in lexicon.POSSESSIVES
    return subject.kind == "common" and not subject.items and (owned or bool(subject.modifiers))


def _is_bare(clause: Clause) -> bool:
    """True if nothing follows the verb yet but, perhaps, an adjective ("capable of")."""
    return clause.object is None and clause.predicate is None


def _noun_then_verb(tokens: Sequence[Token], index: int) -> bool:
    """ "the Oslo based company opened": a participle before a noun that a verb follows."""
    return (
        index + 2 < len(tokens)
        and tokens[index + 1].may_be("N")
        and tokens[index + 2].may_be("VBZ", "VBD", "AUX", "MD")
    )


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


def with_modifier(phrase: NounPhrase, attached: Attached) -> NounPhrase:
    """The phrase with a prepositional phrase joined to it (to its last item in an enumeration)."""
    if attached.phrase is None:
        return phrase
    if phrase.items:
        *front, last = phrase.items
        return replace(phrase, items=(*front, with_modifier(last, attached)))
    return replace(phrase, modifiers=(*phrase.modifiers, (attached.preposition, attached.phrase)))


#: Prepositions that bind a phrase to the common noun before it rather than to the verb.
_NOUN_PREPOSITIONS = lexicon.words("of about between against for with regarding concerning among per without")
_PLACE_LIKE = lexicon.words("in at on near inside outside under over behind beside along across from")


def _attach(clause: Clause, attached: list[Attached], phrase: Attached) -> tuple[Clause, list[Attached]]:
    """Give a prepositional phrase to the noun before it or to the clause."""
    if tuple(phrase.preposition.split()) in _DROPPED_PREPOSITIONS:
        return clause, attached
    target = clause.predicate or clause.object
    last_attached = attached[-1].phrase if attached else None
    if (
        last_attached is not None
        and last_attached.kind == "common"
        and phrase.preposition in ("for", "about", "between")
    ):
        return clause, [*attached[:-1], replace(attached[-1], phrase=with_modifier(last_attached, phrase))]
    if target is None or attached or clause.predicate is not None:
        temporal = phrase.preposition in ("after", "before", "during", "since", "until", "despite")
        if clause.predicate is not None and not attached and not temporal:
            return replace(clause, predicate=with_modifier(clause.predicate, phrase)), attached
        return clause, [*attached, phrase]
    last = target.flat()[-1]
    definite = last.kind == "common" and last.determiner == "the" and not last.modifiers and not last.owner
    binds = last.kind in ("common", "number") and phrase.preposition in _NOUN_PREPOSITIONS
    if binds or (definite and phrase.preposition in _PLACE_LIKE):
        return replace(clause, object=with_modifier(target, phrase)), attached
    return clause, [*attached, phrase]


def _with_tail(clause: Clause, attached: list[Attached], words: str) -> tuple[Clause, list[Attached]]:
    """Join trailing words to the noun just before them."""
    if attached and attached[-1].phrase is not None:
        phrase = attached[-1].phrase
        tailed = _tailed(phrase, words)
        return clause, [*attached[:-1], replace(attached[-1], phrase=tailed)]
    if attached:
        return clause, attached
    if clause.predicate is not None:
        return replace(clause, predicate=_tailed(clause.predicate, words)), attached
    if clause.object is not None:
        return replace(clause, object=_tailed(clause.object, words)), attached
    return clause, attached


def _tailed(phrase: NounPhrase, words: str) -> NounPhrase:
    if phrase.items:
        *front, last = phrase.items
        return replace(phrase, items=(*front, replace(last, tail=words)))
    return replace(phrase, tail=f"{phrase.tail} {words}".strip())


def _last_name(clause: Clause) -> NounPhrase | None:
    """The name that ends the clause, to which an aside after it belongs."""
    ends = (
        [each.phrase for each in clause.attached[-1:]]
        if clause.attached
        else [clause.object or clause.predicate]
    )
    phrase = ends[0] if ends else None
    while phrase is not None and phrase.modifiers and not phrase.items:
        phrase = phrase.modifiers[-1][1]
    return phrase if phrase is not None and phrase.kind == "name" and not phrase.items else None


__all__ = ["Apposition", "Attached", "Clause", "SentenceParser", "TimeRole", "with_modifier"]
