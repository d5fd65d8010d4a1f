"""Questions and answers about properties: "The mother of X is Y", both ways round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.rules.catalog import Catalog
from knowledge.rules.english import (
    head_word,
    is_date,
    is_person_noun,
    is_place_noun,
    join_list,
    looks_like_person_name,
    plural,
    possessive,
    strip_article,
    with_indefinite_article,
)
from knowledge.rules.lexicon import ANAPHORIC_NOUNS, KINSHIP

#: Everyday ways to ask for a property; {x} is the entity, {be} "is" or "was".
PARAPHRASES: dict[str, tuple[str, ...]] = {
    "date of birth": ("When was {x} born?", "On what date was {x} born?", "When is {xs} birthday?"),
    "birth date": ("When was {x} born?",),
    "birthday": ("When was {x} born?",),
    "date of death": ("When did {x} die?",),
    "place of birth": ("Where was {x} born?", "In which place was {x} born?"),
    "birthplace": ("Where was {x} born?", "In which place was {x} born?"),
    "place of death": ("Where did {x} die?",),
    "occupation": ("What does {x} do for a living?", "What is {xs} job?", "What does {x} work as?"),
    "profession": ("What does {x} do for a living?", "What is {xs} job?", "What does {x} work as?"),
    "job": ("What does {x} do for a living?", "What does {x} work as?"),
    "job title": ("What does {x} do for a living?", "What is {xs} job?"),
    "hobby": ("What does {x} like to do in spare time?", "Which hobby does {x} pursue?"),
    "nationality": ("Which country is {x} from?",),
    "population": ("How many people live in {x}?", "How many inhabitants does {x} have?"),
    "budget": ("How large is the budget of {x}?", "How much money is in the budget of {x}?"),
    "price": ("How much does {x} cost?",),
    "cost": ("How much does {x} cost?",),
    "height": ("How high is {x}?", "How tall is {x}?"),
    "length": ("How long is {x}?",),
    "width": ("How wide is {x}?",),
    "depth": ("How deep is {x}?",),
    "weight": ("How heavy is {x}?", "How much does {x} weigh?"),
    "age": ("How old {be} {x}?",),
    "area": ("How large is {x}?",),
    "owner": ("Who owns {x}?",),
    "founder": ("Who founded {x}?", "Who was {x} founded by?"),
    "author": ("Who wrote {x}?", "Who was {x} written by?"),
    "inventor": ("Who invented {x}?",),
    "composer": ("Who composed {x}?",),
    "designer": ("Who designed {x}?",),
    "manager": ("Who manages {x}?",),
    "leader": ("Who leads {x}?",),
    "head": ("Who heads {x}?",),
    "chair": ("Who chairs {x}?",),
    "director": ("Who directs {x}?",),
    "lead": ("Who leads {x}?",),
    "project lead": ("Who leads {x}?",),
    "employer": ("Who does {x} work for?",),
    "wife": ("Who is {x} married to?",),
    "husband": ("Who is {x} married to?",),
    "spouse": ("Who is {x} married to?",),
    "location": ("Where is {x}?", "Where is {x} located?"),
    "address": ("Where is {x}?", "Where can {x} be found?"),
    "headquarters": ("Where is {x} based?", "Where are the headquarters of {x}?"),
    "head office": ("Where is {x} based?",),
    "deadline": ("When is the deadline of {x}?", "By when must {x} be finished?"),
    "start date": ("When did {x} start?", "When does {x} start?"),
    "end date": ("When did {x} end?", "When does {x} end?"),
}
#: Paraphrases that suppose a person or a place of a certain kind are used only where the value bears them out.
_ONLY_FOR_PEOPLE = frozenset({"employer", "nationality"})
PLURAL_ONLY = frozenset({"headquarters", "premises", "earnings", "proceeds"})


@dataclass(frozen=True)
class PropertyGroup:
    """All values of one property of one entity, over the whole corpus, in the order of the documents."""

    subject: str
    noun: str
    values: tuple[str, ...]
    preposition: str = "of"
    past: bool = False
    stated: bool = True
    plural: bool = False

    @property
    def many(self) -> bool:
        return self.plural or len(self.values) > 1

    @property
    def is_personal(self) -> bool:
        """True if the values are people, so that a question asks "who"."""
        if is_person_noun(self.noun):
            return True
        thing = head_word(self.noun) in ANAPHORIC_NOUNS or is_place_noun(self.noun)
        return not thing and all(looks_like_person_name(value) for value in self.values)

    def be(self) -> str:
        if head_word(self.noun) in PLURAL_ONLY:
            return "were" if self.past else "are"
        return ("were" if self.many else "was") if self.past else ("are" if self.many else "is")

    def noun_form(self) -> str:
        return plural(self.noun) if self.many else self.noun

    def phrase(self) -> str:
        """ "friends of Mara Lind", "head of research at Kestrel"."""
        return f"{self.noun_form()} {self.preposition} {self.subject}"


def property_answer(group: PropertyGroup) -> str:
    """ "The friends of X are A, B and C."; what is implied claims no completeness: "Y is a child of X." """
    if not group.stated:
        kind = group.noun_form() if group.many else with_indefinite_article(group.noun)
        return _closed(f"{join_list(group.values)} {group.be()} {kind} {group.preposition} {group.subject}")
    return _closed(f"The {group.phrase()} {group.be()} {join_list(group.values)}")


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith(".") else sentence + "."


def property_questions(group: PropertyGroup, catalog: Catalog) -> list[str]:
    """All wordings that ask for the values of a property, the canonical ones first."""
    who = "Who" if group.is_personal else "What"
    be, noun, phrase = group.be(), group.noun_form(), group.phrase()
    questions = [f"{who} {be} the {phrase}?"]
    if group.past:
        questions.append(f"{who} {'are' if group.many else 'is'} the {phrase}?")
    if group.many:
        singular_be = "was" if group.past else "is"
        questions.append(f"{who} {singular_be} the {group.noun} {group.preposition} {group.subject}?")
    if group.preposition == "of":
        questions.append(f"{who} {be} {possessive(group.subject)} {noun}?")
    questions += _paraphrases(group, catalog)
    questions += _general_wordings(group, who)
    return list(dict.fromkeys(questions))


def _paraphrases(group: PropertyGroup, catalog: Catalog) -> list[str]:
    if group.preposition != "of" or (group.noun in _ONLY_FOR_PEOPLE and not catalog.is_person(group.subject)):
        return []
    fields = {"x": group.subject, "xs": possessive(group.subject), "be": "was" if group.past else "is"}
    found = [template.format(**fields) for template in PARAPHRASES.get(group.noun, ())]
    if group.noun.startswith("number of "):
        found.append(f"How many {group.noun.removeprefix('number of ')} does {group.subject} have?")
    if not group.many and is_date(strip_article(group.values[0])) and not found:
        found.append(f"When {group.be()} the {group.phrase()}?")
    if is_place_noun(group.noun) and not group.many and not found and "capital" not in group.noun:
        found.append(f"Where {group.be()} the {group.phrase()}?")
    return found


def _general_wordings(group: PropertyGroup, who: str) -> list[str]:
    be, noun, phrase = group.be(), group.noun_form(), group.phrase()
    if group.is_personal:
        have = [
            f"Can you tell me who the {phrase} {be}?",
            f"What {be} the name{'s' * group.many} of the {phrase}?",
        ]
        return [*have, f"Which {'people' if group.many else 'person'} {be} the {phrase}?"]
    does = "did" if group.past else "does"
    asked = [f"Can you tell me the {phrase}?", f"Do you know what the {phrase} {be}?"]
    if group.preposition == "of" and " of " not in noun:
        asked.append(f"What {noun} {does} {group.subject} have?")
    return asked


@dataclass(frozen=True)
class ReverseGroup:
    """All entities of the corpus whose property has one value."""

    noun: str
    value: str
    subjects: tuple[str, ...]
    kind_noun: str
    past: bool = False

    @property
    def many(self) -> bool:
        return len(self.subjects) > 1


def clue(noun: str, value: str, past: bool = False) -> str:
    """One clue of a reverse look-up: "whose occupation is judge"."""
    return f"whose {noun} {'was' if past else 'is'} {value}"


def described(kind_noun: str, clues: Sequence[str], many: bool) -> str:
    """ "person whose hobby is chess and whose occupation is judge", in the plural for many."""
    kind = kind_noun or "entity"
    return f"{plural(kind) if many else kind} {join_list(tuple(clues))}"


def reverse_answer(group: ReverseGroup) -> str:
    """ "The person whose occupation is V is X." or "The people whose hobby is V are A, B and C." """
    subject = described(group.kind_noun, [clue(group.noun, group.value, group.past)], group.many)
    return _closed(f"The {subject} {'are' if group.many else 'is'} {join_list(group.subjects)}")


def reverse_questions(group: ReverseGroup) -> list[str]:
    """Wordings that look an entity up by one property; none of them names the entity."""
    one = described(group.kind_noun, [clue(group.noun, group.value, group.past)], False)
    many = described(group.kind_noun, [clue(group.noun, group.value, group.past)], True)
    who = "Who" if group.kind_noun == "person" else "What"
    kind = plural(group.kind_noun or "entity") if group.many else group.kind_noun or "entity"
    have = "have" if group.many else "has"
    questions = [f"{who} is the {one}?"]
    if group.many:
        questions.append(f"{who} are the {many}?")
    if group.noun in KINSHIP or is_person_noun(group.noun):
        questions.append(f"Which {kind} {have} {group.value} as {_as_noun(group.noun)}?")
        if group.noun in KINSHIP and not group.past:
            questions.append(f"Whose {group.noun} is {group.value}?")
    else:
        questions.append(f"Which {kind} {have} the {group.noun} {group.value}?")
        if group.kind_noun == "person" and not group.past:
            questions.append(f"Whose {group.noun} is {group.value}?")
    return questions


def _as_noun(noun: str) -> str:
    return with_indefinite_article(noun) if noun in KINSHIP else noun
