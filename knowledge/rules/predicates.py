"""Verb phrases: the verb, its object or predicate, and the circumstances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from knowledge.rules import lexicon
from knowledge.rules.clause import (
    Apposition,
    Attached,
    Clause,
    attach,
    is_bare,
    names_property,
    tailed,
    with_modifier,
    with_tail,
)
from knowledge.rules.cursor import CLOSING, SentenceCursor
from knowledge.rules.english import singular
from knowledge.rules.facts import Verb
from knowledge.rules.phrases import NounPhrase, Parsed, never, noun_phrase, noun_phrases, starts_amount
from knowledge.rules.tokens import Token
from knowledge.rules.verbs import (
    WITH_SECOND_OBJECT,
    Unreadable,
    VerbGroup,
    refuse_negation,
    skip_adverbs,
    verb_group,
)

_NEVER_IN_A_VALUE = ("AUX", "MD", "NEG", "PRP", "PP$", "WH", "SC", "QUOTE")
_SUBORDINATORS = lexicon.words(
    "because although though while whereas when whenever if unless so until where once"
)
_BEFORE_CLAUSES = lexicon.words("after before as since by without for in despite upon on from of with")
_CONTROLLING = lexicon.words(
    """
    tell ask order instruct persuade convince encourage urge require force oblige compel restrict limit allow
    permit enable cause lead motivate inspire invite expect want need like prefer train teach help get make take
    have
    """
)
_TELLING = lexicon.words(
    "tell inform assure warn remind convince persuade notify promise ask show teach advise"
)
_UNFINISHED = lexicon.words(
    "effort efforts attempt attempts plan plans right rights ability opportunity chance decision desire failure "
    "way"
)
_DIMENSIONS = lexicon.words("tall long high wide deep old thick away")


@dataclass
class VerbPhraseReader(SentenceCursor):
    """Reads verb phrases of a subject into ``clauses``."""

    clauses: list[Clause] = field(default_factory=list)
    appositions: list[Apposition] = field(default_factory=list)
    _relative: int | None = None
    _has_dropped: bool = False

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
            if names_property(subject) and self._is_plain_value(index + 1):
                raise Unreadable("words that stand for a value")
            clause, end = self._clause_at(subject, index, shared)
        except Unreadable:
            if not names_property(subject) or not self._is_copula(index) or self._is_verbal(index + 1):
                raise
            clause, end = self._plain_value(subject, index)
        index, group = end, clause.group
        self.clauses.append(replace(clause, attached=(*leading, *clause.attached)))
        self._told_by_relative(subject)
        if self._comma_at(index) and not commas:
            return index
        return self._further_verb_phrases(subject, index, group.shared)

    def _told_by_relative(self, subject: NounPhrase) -> None:
        """ "X is a nurse who lives in Oslo" also says where X lives."""
        start, self._relative = self._relative, None
        known = len(self.clauses)
        if start is None or self._inside_subject:
            return
        try:
            self._verb_phrase(subject, start, (), "", commas=False)
        except Unreadable:
            del self.clauses[known:]

    def _clause_at(self, subject: NounPhrase, index: int, shared: str) -> tuple[Clause, int]:
        found = verb_group(self.tokens, index, subject.is_many, shared)
        if found is None:
            raise Unreadable("no main verb found")
        clause, index = self._complement(Clause(subject, found[0]), found[1])
        if index < len(self.tokens) and self._second_verb(index) and not self._inside_subject:
            raise Unreadable(f"second verb “{self.tokens[index].text}”")
        return clause, index

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
        if following is None:
            return False
        return following.may_be("DT", "PN", "CD", "PP$", "IN", "TO") and self._ends_series(index)

    def _ends_series(self, index: int) -> bool:
        """Does ", and" or "and" with a last verb follow: "joined A, moved to B and leads C"?"""
        joints = (at for at in range(index, len(self.tokens) - 1) if self.tokens[at].lower == "and")
        return any(self._verb_follows(skip_adverbs(self.tokens, at + 1)[1]) for at in joints)

    def _past_adverbs(self, index: int) -> int:
        return skip_adverbs(self.tokens, index)[1]

    def _complement(self, clause: Clause, index: int) -> tuple[Clause, int]:
        if clause.group.copular:
            clause, index = self._predicate(clause, index)
        elif not clause.group.verb.passive or clause.group.verb.lemma in WITH_SECOND_OBJECT:
            clause, index = self._object(clause, index)
        return self._adjuncts(clause, index)

    def _object(self, clause: Clause, index: int) -> tuple[Clause, int]:
        _, index = skip_adverbs(self.tokens, index)
        refuse_negation(self.tokens, index)
        if self._time(index) is not None or not self._starts_noun_phrase(index):
            return clause, index
        parsed = noun_phrases(self.tokens, index, self._is_verb if self._inside_subject else never)
        if parsed is None:
            return clause, index
        if parsed[0].head in lexicon.QUANTIFIERS | {"more", "less", "such"}:
            raise Unreadable(f"“{parsed[0].head}” leaves open of what")
        return replace(clause, object=parsed[0]), parsed[1]

    def _starts_noun_phrase(self, index: int) -> bool:
        if index + 2 < len(self.tokens) and starts_amount(self.tokens, index):
            return True
        return index < len(self.tokens) and not self.tokens[index].may_be(
            "IN", "TO", "PUNCT", "WH", "SC", "AUX", "MD"
        )

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

    def _is_copula(self, index: int) -> bool:
        token = self.at(index)
        return token is not None and token.lower in ("is", "are", "was", "were")

    def _is_verbal(self, index: int) -> bool:
        """ "(are) paid on ...": a participle with circumstances is a passive, never a value."""
        token, following = self.at(index), self.at(index + 1)
        if token is None or following is None or not token.may_be("VBN") or token.is_name:
            return False
        if token.lower in ("called", "named", "known"):
            return True
        return following.may_be("IN", "TO", "DT") or self._time(index + 1) is not None

    def _is_plain_value(self, index: int) -> bool:
        """ "(is) building surveyor", "(is) chartered accountant": after a property these are no verb forms."""
        token = self.at(index)
        if token is None or self.tokens[index - 1].lower not in ("is", "are", "was", "were"):
            return False
        return not token.is_name and token.may_be("VBG", "VBN") and not self._is_verbal(index)

    def _predicate(self, clause: Clause, index: int) -> tuple[Clause, int]:
        if (
            index + 1 < len(self.tokens)
            and self.tokens[index].may_be("TO")
            and self.tokens[index + 1].may_be("VB")
        ):
            end = self._segment_end(index)
            return replace(clause, raw=self._words(index, end)), end
        if index >= len(self.tokens) or self._time(index) is not None or self.tokens[index].may_be("IN"):
            if index < len(self.tokens) and self.tokens[index].lower in ("about", "around", "over", "up"):
                return self._nominal_predicate(clause, index)
            return clause, index
        token = self.tokens[index]
        if token.may_be("WH", "SC") or token.lower == "that":
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
        if phrase.counted and following is not None and following.lower in _DIMENSIONS:
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
            elif (
                token.lower in ("that", "whether", "how", "why", "what")
                and clause.group.verb.lemma in _TELLING | lexicon.SPEECH_VERBS
            ):
                raise Unreadable(f"reports what somebody “{clause.group.verb.lemma}”s")
            elif self._is_subordinator(index):
                self._refuse_condition(clause, token)
                index = self._segment_end(index)
            elif self._is_told_to(clause, index):
                raise Unreadable("the infinitive after the object cannot be left out")
            elif (phrase := self._attached(index, after_verb=is_bare(clause) and not attached)) is not None:
                clause, attached = attach(clause, attached, phrase[0])
                index = phrase[1]
            elif (measure := self._measure(clause, index)) is not None:
                attached.append(Attached("", phrase=measure[0]))
                index = measure[1]
            elif "TO" in token.tags and (beyond := self.at(index + 1)) and beyond.lower in ("have", "be"):
                raise Unreadable("an infinitive that the verb needs")
            elif "TO" in token.tags:
                end = self._segment_end(index)
                if clause.object is not None and not attached:
                    _refuse_control(clause)
                if clause.predicate is not None and not attached:  # "the first woman to win the prize"
                    clause = replace(clause, predicate=tailed(clause.predicate, self._words(index, end)))
                index = end
            elif token.may_be("R") and not token.may_be("N", "NS", "PN", "VBD", "VBZ"):
                _, after = skip_adverbs(self.tokens, index)
                index = max(after, index + 1)
            elif self._begins_modifier(clause, attached, index):
                if token.lower in ("who", "which", "that") and _says_what_one_is(clause, attached):
                    self._relative = index + 1 if self._finite_at(index + 1) else None
                end = self._modifier_end(index)
                if self._comma_at(end) and self._enumerates(end) and end + 1 < len(self.tokens):
                    raise Unreadable("an enumeration that is not understood")
                clause, attached = with_tail(clause, attached, self._words(index, end))
                index = end
            else:
                break
        return replace(clause, attached=tuple(attached)), self._checked_end(index)

    def _is_told_to(self, clause: Clause, index: int) -> bool:
        """ "Restrict shops to only sell red sails": an adverb may stand before the infinitive."""
        adverb, verb = self.at(index + 1), self.at(index + 2)
        controls = clause.object is not None and clause.group.verb.lemma.split()[0] in _CONTROLLING
        return (
            controls
            and "TO" in self.tokens[index].tags
            and adverb is not None
            and (adverb.may_be("R", "VB") or adverb.lower == "only")
            and (adverb.may_be("VB") or (verb is not None and verb.may_be("VB")))
        )

    def _finite_at(self, index: int) -> bool:
        """Is the word a finite verb, so that "who", "which" or "that" before it is its subject?"""
        token = self.at(self._past_adverbs(index))
        return token is not None and not token.is_name and token.may_be("VBZ", "VBD", "AUX", "MD")

    def _modifier_end(self, index: int) -> int:
        """Where a modifier ends: with its segment, or before an "and" that a further verb follows."""
        end = self._segment_end(index)
        # "owned and managed by X" is one modifier; "called X and held courses" goes on with a verb.
        joints = (at for at in range(index + 2, end - 1) if self.tokens[at].lower in ("and", "but"))
        return next((at for at in joints if self.tokens[at + 1].may_be("VBD", "VBZ", "AUX", "MD")), end)

    def _measure(self, clause: Clause, index: int) -> Parsed | None:
        """ "two weeks before departure" after a complete clause."""
        amount = clause.object or clause.predicate
        if amount is None and not clause.adjective:
            return None
        parsed = noun_phrase(self.tokens, index) if not self.tokens[index].is_name else None
        if parsed is None:
            return None
        phrase, end = parsed
        if (
            phrase.determiner in ("a", "an")
            and amount is not None
            and amount.counted
            and phrase.core == phrase.head
        ):
            return phrase, end  # "600 euros a year"
        if not phrase.counted or singular(phrase.head) not in lexicon.TIME_UNITS:
            return None
        if (more := self._attached(end)) is not None and more[0].preposition in ("before", "after"):
            return with_modifier(phrase, more[0]), more[1]
        return phrase, end

    def _checked_end(self, index: int) -> int:
        if index >= len(self.tokens):
            return index
        token = self.tokens[index]
        if (
            token.text in CLOSING | {",", "—", "–", "-"}
            or token.lower in ("and", "or", "but")
            or self._second_verb(index)
        ):
            return index
        raise Unreadable(f"cannot place “{token.text}”")

    def _is_subordinator(self, index: int) -> bool:
        token = self.tokens[index]
        if token.lower in _SUBORDINATORS:
            return True
        if token.lower not in _BEFORE_CLAUSES:
            return False
        if token.lower in ("as", "after", "before", "since") and self._time(index) is None:
            found = self._attached(index)
            if found is not None and found[1] < len(self.tokens) and self._second_verb(found[1]):
                return True
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
        if is_bare(clause) and not attached:
            return False
        if token.lower in ("that", "which", "who", "whose", "whom") and not token.is_name:
            return True
        return token.may_be("VBN", "VBG") and not token.may_be("VBZ") and not token.is_name and index > 0


def _refuse_control(clause: Clause) -> None:
    """ "Laws restrict shops to sell ...", "began efforts to join X": without the rest it is not what was said."""
    told = clause.object
    if clause.group.verb.lemma.split()[0] in _CONTROLLING or (told is not None and told.head in _UNFINISHED):
        raise Unreadable("the infinitive after the object cannot be left out")


def _says_what_one_is(clause: Clause, attached: Sequence[Attached]) -> bool:
    """ "X is a nurse": one subject, one noun of its own that a relative clause can only go back to."""
    noun = clause.predicate
    if noun is None or attached or clause.subject.is_many or clause.group.verb.lemma != "be":
        return False
    return noun.determiner in ("a", "an") and not (noun.items or noun.modifiers or noun.plural or noun.tail)
