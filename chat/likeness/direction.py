"""Who does it to whom, or is it to whom: "Who does Ada manage?" and "Whose manager is Ada?" ask whom Ada manages.

"Who manages Ada?" and "Who is the manager of Ada?" have the same words and ask for somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from chat.protocol.mentions import MUTUAL
from knowledge.rules.english import is_plural, singular, verb_readings
from knowledge.rules.lexicon import (
    ARTICLES,
    BE_FORMS,
    DO_FORMS,
    HAVE_FORMS,
    MODALS,
    NON_PERSON_NAME_WORDS,
    TITLES,
)
from knowledge.rules.names import is_person_noun
from knowledge.rules.roles import verb_of_role

#: They stand beside a name, or by themselves for what kind of thing it is; verbs they are hardly ever.
GENERIC = NON_PERSON_NAME_WORDS | TITLES
_AUXILIARIES = DO_FORMS | MODALS
_SUBJECTS = frozenset({"who", "that", "and"})  # a verb may follow in any form
_BEFORE_NOUNS = ARTICLES | {"of", "many", "much"}
_BEFORE_KINDS = frozenset({"which", "what", "many", "much"})
_BESIDE_NAMES = ARTICLES | {"and", "or"}
_ASKED_BY = frozenset({"who", "whom", "which", "what"})


@dataclass
class Asked:
    """A question in its ``words``, in lower case: which are of ``names``, the places of what it asks of those."""

    text: str
    words: tuple[str, ...]
    names: frozenset[str]
    relation: Sequence[int]

    @cached_property
    def deed(self) -> int | None:
        """The place of the word that says what one does or is to another ("manages", "manager"), if one does."""
        found = [place for place in self.relation if self._is_verb(place) or self._is_role(place)]
        if not found:
            return None
        return next((place for place in found if not self._is_thing(place, found)), found[-1])

    @cached_property
    def doers(self) -> frozenset[str]:
        """The names that do it, or are it to somebody; of what two are to each other there are none."""
        does = self.deed
        if does is None or singular(self.words[does]) in MUTUAL:
            return frozenset()
        named = (place for place, word in enumerate(self.words) if word in self.names)
        return frozenset(
            self.words[place]
            for place in named
            if (self._acts_before(place, does) if place < does else self._acts_after(place, does))
        )

    # --- The deed ----------------------------------------------------------------------------------------
    def _is_verb(self, place: int) -> bool:
        word, before = self.words[place], self._before(place)
        if not verb_readings(word) or self._has_after(place, DO_FORMS | HAVE_FORMS):
            return False  # "which team does"
        if word in GENERIC and before != "who" and before not in self.names:
            return False  # "Who reports to Ada?", "Who does Ada report to?"
        if before in _BEFORE_NOUNS:
            return False
        is_finite = before in _SUBJECTS or is_plural(before) or self._has_auxiliary(place)
        return is_finite or self._is_inflected(place)

    def _is_role(self, place: int) -> bool:
        word = self.words[place]
        is_role = is_person_noun(word) or verb_of_role(singular(word), False)
        return bool(is_role) and not self._has_after(place, DO_FORMS)

    def _is_thing(self, place: int, found: Sequence[int]) -> bool:
        """As "manager" in "which manager leads Atlas", "archive" in "does the Dunlin archive hold"."""
        return not self._is_inflected(place) and (place + 1 in found or self._before(place) in _BEFORE_KINDS)

    # --- Who does it -------------------------------------------------------------------------------------
    def _acts_before(self, place: int, does: int) -> bool:
        """Whether a name acts that comes before the deed: "does Ada manage", but not "is Ada managed"."""
        if self._owns(place, does) or self._is_done_by(does):
            return False
        if self._is_verb(does):
            return not self._is_passive(does)
        return not self.names.issuperset(self.words[place:does]) and not self._has_one(place, does)

    def _acts_after(self, place: int, does: int) -> bool:
        """Whether a name acts that comes after the deed: "managed by Ada", "whose manager is Ada"."""
        before = self._without(_BESIDE_NAMES, place)
        if "by" in self.words[does:place] and "by" in before[-2:]:
            return True
        return "whose" in before and before[-1] in BE_FORMS and not self._owns(place, does)

    def _is_done_by(self, does: int) -> bool:
        """As "is managed by", "by whom is Ada managed"."""
        asked = {follower for word, follower in pairwise(self.words) if word == "by"}
        return "by" in self.words[does:] or bool(asked & _ASKED_BY)

    def _is_passive(self, does: int) -> bool:
        before = self._without(_BESIDE_NAMES | GENERIC, does)
        is_participle = any(tag == "VBN" for _, tag in verb_readings(self.words[does]))
        return is_participle and bool(BE_FORMS.intersection(before[-1:]))

    def _has_one(self, place: int, does: int) -> bool:
        """As "does Ada have a manager", but not "who has Ada as manager"."""
        is_one = "as" in self.words[place:does] and not HAVE_FORMS.intersection(self.words[place:does])
        return bool(HAVE_FORMS.intersection(self.words[:does])) and not is_one

    def _owns(self, place: int, does: int) -> bool:
        """Whether something is said to be the name's: "Ada Lund's", "the Sales team's"."""
        name = re.escape(self.words[place])
        owner = re.search(rf"\b{name}\b([\w ]*)['’]s?(?=\s)", self.text, re.IGNORECASE)
        beside = set(owner[1].casefold().split()) - self.names if owner else set()
        return bool(owner) and len(beside) <= 1 and self.words[does] not in beside

    # --- Words -------------------------------------------------------------------------------------------
    def _without(self, these: frozenset[str], place: int) -> list[str]:
        """The words before a place but for these and the names."""
        skipped = these | self.names
        return [word for word in self.words[:place] if word not in skipped]

    def _before(self, place: int) -> str:
        return self.words[place - 1] if place else ""

    def _has_after(self, place: int, these: frozenset[str]) -> bool:
        return bool(these.intersection(self.words[place + 1 : place + 2]))

    def _is_inflected(self, place: int) -> bool:
        return any(tag != "VB" for _, tag in verb_readings(self.words[place]))

    def _has_auxiliary(self, place: int) -> bool:
        """Whether a word before makes a verb of this one; "Can you tell me" is said of no name."""
        before = pairwise(self.words[: place + 1])
        return any(word in _AUXILIARIES and follower != "you" for word, follower in before)
