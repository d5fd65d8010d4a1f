"""Questions about what hardly any corpus tells of its entities, to see whether a MEMORY makes something up."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from training.engine.pairs import Pair
from training.engine.words import CARRIERS, Lexicon, words


def _phrases(text: str) -> list[str]:
    return text.split("|")


THINGS = _phrases(
    "altitude|ancestry|annual rent|anthem|bank balance|bedtime|bicycle|bookshelf|bus stop|"
    "calorie count|camera|carpet|chimney|circumference|coat of arms|credit limit|currency|curtain length|diameter|"
    "driving licence|dress code|exchange rate|fax number|fingerprint|flavour|fuel consumption|garden|handwriting|"
    "hair length|hat size|height|hotel room|inheritance|insurance policy|jersey number|kitchen|library card|"
    "licence plate|lottery number|lucky charm|mascot|medical record|mortgage|motto|nickname|opening hour|"
    "parking space|password hint|perfume|pet|piano|pin code|postcode|pulse|recipe|refrigerator|resting heart rate|"
    "ring tone|seat number|serial number|signature|sleeping pattern|slogan|smell|star sign|suitcase|surface area|"
    "swimming style|tattoo|tax code|temperature|ticket price|umbrella|vaccination|voltage|vote|wallet|warranty|"
    "wavelength|website|wingspan|wristwatch|yearly bonus"
)
PERSONS = _phrases(
    "accountant|archbishop|babysitter|barber|bodyguard|butler|chauffeur|chaplain|creditor|florist|gardener|godmother|"
    "guardian angel|heir|hairdresser|interpreter|jeweller|lawyer|masseur|midwife|opponent|optician|pharmacist|"
    "physiotherapist|plumber|publisher|rival|roommate|stepmother|surgeon|tailor|veterinarian|witness|"
    "yoga instructor"
)
THING_WORDINGS = (
    "What is the {noun} of {name}?",
    "What is {name}'s {noun}?",
    "Which {noun} does {name} have?",
    "Do you know the {noun} of {name}?",
    "I would like to know {name}'s {noun}.",
    "{name}, {noun}?",
)
PERSON_WORDINGS = (
    "Who is the {noun} of {name}?",
    "Who is {name}'s {noun}?",
    "What is the name of the {noun} of {name}?",
    "Do you know who the {noun} of {name} is?",
    "{name}, {noun}?",
)
SENTENCES = (
    "How old is {name}?",
    "When did {name} retire?",
    "Why did {name} resign?",
    "Where does {name} swim?",
    "What does {name} drink in the morning?",
    "How far can {name} run?",
    "How many stairs does {name} climb?",
    "Which song does {name} sing?",
    "What did {name} inherit?",
    "Who does {name} envy?",
    "Where did {name} spend the holidays?",
    "What is {name} afraid of?",
    "Who painted {name}?",
    "How often does {name} travel?",
    "What did {name} lose?",
    "Which newspaper does {name} read?",
)


class AbsentAttributes:
    """Questions about known entities for what no pair tells of anybody: no telling word of theirs was trained."""

    def __init__(self, pairs: Sequence[Pair], lexicon: Lexicon) -> None:
        spans = ((pair.question, lexicon.name_spans(pair.question)) for pair in pairs)
        self._names = sorted(
            {question[a:b] for question, found in spans if len(found) == 1 for a, b in found}
        )
        told = {word for pair in pairs for text in (pair.question, pair.answer) for word in words(text)}

        def is_absent(text: str) -> bool:
            return told.isdisjoint(set(words(text.replace("{name}", ""))) - CARRIERS)

        kinds = [
            ([noun for noun in nouns if is_absent(noun)], wordings)
            for nouns, wordings in (
                (SENTENCES, ("{noun}",)),
                (THINGS, THING_WORDINGS),
                (PERSONS, PERSON_WORDINGS),
            )
        ]
        self._kinds = [(nouns, wordings) for nouns, wordings in kinds if nouns]

    def draw(self, random: Random) -> str | None:
        """A question about something that nobody is said to have, or None if the pairs name nobody."""
        if not self._names or not self._kinds:
            return None
        name = random.choice(self._names)
        nouns, wordings = random.choice(self._kinds)
        return random.choice(wordings).replace("{noun}", random.choice(nouns)).replace("{name}", name)
