"""Questions for ``abstention.py``, written by hand: the known in words never read, and the unknown.

Nothing in here is used by the product. Names are from elsewhere; wordings are none that the GENERATOR makes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

NEW_WORDING = "new wording"
FOREIGN_NAME, MIXED_NAME = "unknown entity, name from elsewhere", "unknown entity, known names put together"
LACKING, NOBODY_HAS = "unknown attribute, others have it", "unknown attribute, nobody has it"
UNKNOWN_ENTITIES, UNKNOWN_ATTRIBUTES = (FOREIGN_NAME, MIXED_NAME), (LACKING, NOBODY_HAS)


@dataclass(frozen=True)
class Question:
    """``values`` are what the right answer names; none where “I don't know” is right."""

    kind: str
    text: str
    values: tuple[str, ...] = ()


# --- PhantomWiki -------------------------------------------------------------------------------------------
FACT = re.compile(r"^The (?P<relation>[a-z ]+) of (?P<name>[A-Z].+?) (?:is|are) (?P<values>.+)\.$")
SINGULAR = {f"{each}s": each for each in ("brother", "sister", "son", "daughter", "friend")}
RELATIVES = ("mother", "father", "brother", "sister", "son", "daughter", "husband", "wife", "friend")

RELATIVE_WORDINGS = (
    "Name the {relation} of {name}.",
    "Give me the name of {name}'s {relation}.",
    "I am looking for the {relation} of {name}.",
    "Has {name} got a {relation}, and who is it?",
    "What is {name}'s {relation} called?",
    "{name}: {relation}?",
)
WORDINGS = {
    "date of birth": (
        "Name the date of birth of {name}.",
        "What day was {name} born on?",
        "Tell me the birthday of {name}.",
        "{name}: date of birth?",
        "I need {name}'s date of birth.",
    ),
    "occupation": (
        "Name the occupation of {name}.",
        "What work does {name} do?",
        "What is {name} by occupation?",
        "{name}: occupation?",
        "I need {name}'s occupation.",
    ),
    "hobby": (
        "Name the hobby of {name}.",
        "What does {name} do as a hobby?",
        "What is the hobby that {name} has?",
        "{name}: hobby?",
        "I need {name}'s hobby.",
    ),
    "gender": (
        "Name the gender of {name}.",
        "Of what gender is {name}?",
        "Is {name} male or female?",
        "{name}: gender?",
        "I need {name}'s gender.",
    ),
} | dict.fromkeys(RELATIVES, RELATIVE_WORDINGS)

ELSEWHERE = (
    "Zorvan Quill",
    "Ingrid Solheim",
    "Wanjiru Kamau",
    "Piet Hoekstra",
    "Ottoline Firth",
    "Yevgenia Brodskaya",
    "Takumi Arai",
    "Leocadia Pym",
    "Bartholomew Nkosi",
    "Siobhan Garrity",
    "Mehmet Yildiz",
    "Calliope Drakos",
    "Ranulph Oates",
    "Xochitl Barrera",
    "Per Lindgren",
    "Anoushka Devi",
    "Thaddeus Crane",
    "Hine Parata",
    "Gudrun Eriksdottir",
    "Lamar Whitfield",
)
THINGS = (
    "salary",
    "blood type",
    "phone number",
    "shoe size",
    "favourite colour",
    "home town",
    "email address",
    "nationality",
    "religion",
    "eye colour",
    "university",
    "middle name",
    "weight",
    "favourite dish",
    "passport number",
    "car",
)
PERSONS = ("aunt", "grandfather", "cousin", "boss", "dentist", "landlord", "teacher", "neighbour")
THING_WORDINGS = (
    "What is the {noun} of {name}?",
    "What is {name}'s {noun}?",
    "Can you tell me the {noun} of {name}?",
    "{name}: {noun}?",
    "Name the {noun} of {name}.",
)
PERSON_WORDINGS = (
    "Who is the {noun} of {name}?",
    "Who is {name}'s {noun}?",
    "Name the {noun} of {name}.",
    "Can you tell me who the {noun} of {name} is?",
    "{name}: {noun}?",
)
NOBODY_HAS_IT = (
    "Where does {name} live?",
    "How tall is {name}?",
    "Which languages does {name} speak?",
    "Where did {name} go to school?",
    "When did {name} die?",
    "What does {name} like to eat?",
    "Which book did {name} write?",
    "How much money does {name} have?",
)


def phantomwiki(folder: Path, seed: int = 1) -> list[Question]:
    """The questions about a PhantomWiki universe, from the gold facts of its articles."""
    random = Random(seed)
    facts = read_facts(folder / "documents")
    people = sorted(facts)
    known = [
        Question(NEW_WORDING, random.choice(WORDINGS[relation]).format(name=name, relation=relation), values)
        for name in people
        for relation, values in sorted(facts[name].items())
    ]
    asked = [
        (relation, wording)
        for relation, wordings in WORDINGS.items()
        for wording in (*wordings, *trained_wordings(relation))
    ]
    foreign = [name for name in ELSEWHERE if name not in facts] * 8
    mixed = mixed_names(people, 160, random)
    return [
        *some(known, 400, random),
        *(about(FOREIGN_NAME, name, *random.choice(asked)) for name in foreign[:160]),
        *(about(MIXED_NAME, name, *random.choice(asked)) for name in mixed),
        *some(lacking(facts, random), 200, random),
        *some(nobody_has(people, random), 200, random),
    ]


def read_facts(folder: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Name to relation to values, as the articles state them."""
    facts: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := FACT.match(line.strip()):
                relation = SINGULAR.get(match["relation"], match["relation"])
                facts[match["name"]][relation] = tuple(match["values"].split(", "))
    return dict(facts)


def trained_wordings(relation: str) -> tuple[str, ...]:
    """Wordings that the GENERATOR makes, too: what is unknown here is the name."""
    first = "Who" if relation in RELATIVES else "What"
    return (f"{first} is the {{relation}} of {{name}}?", f"{first} is {{name}}'s {{relation}}?")


def about(kind: str, name: str, relation: str, wording: str) -> Question:
    return Question(kind, wording.format(name=name, relation=relation))


def mixed_names(people: list[str], count: int, random: Random) -> list[str]:
    """First names and last names of people of the corpus, put together to people who are not in it."""
    firsts, lasts = zip(*((name.split()[0], name.split()[-1]) for name in people), strict=True)
    made: list[str] = []
    while len(made) < count:
        name = f"{random.choice(firsts)} {random.choice(lasts)}"
        if name not in people:
            made.append(name)
    return made


def lacking(facts: dict[str, dict[str, tuple[str, ...]]], random: Random) -> list[Question]:
    """Relatives that an article does not state, in the wordings by hand: none of them was ever trained on."""
    return [
        about(LACKING, name, relation, random.choice(RELATIVE_WORDINGS))
        for name in sorted(facts)
        for relation in RELATIVES
        if relation not in facts[name]
    ]


def nobody_has(people: list[str], random: Random) -> list[Question]:
    """What the corpus tells of nobody."""
    nouns = [(noun, THING_WORDINGS) for noun in THINGS] + [(noun, PERSON_WORDINGS) for noun in PERSONS]
    found = []
    for name in people:
        noun, wordings = random.choice(nouns)
        found += [
            Question(NOBODY_HAS, random.choice(wordings).format(noun=noun, name=name)),
            Question(NOBODY_HAS, random.choice(NOBODY_HAS_IT).format(name=name)),
        ]
        for noun, wordings in random.sample(nouns, 3):
            found.append(Question(NOBODY_HAS, random.choice(wordings).format(noun=noun, name=name)))
    return found


def some(questions: list[Question], most: int, random: Random) -> list[Question]:
    """At most so many, each text once."""
    alone = list({question.text: question for question in questions}.values())
    return random.sample(alone, min(most, len(alone)))


# --- The demo corpus ---------------------------------------------------------------------------------------
DEMO_KNOWN = (
    ("Name the place in which Chiamaka Eze was born.", "Lagos"),
    ("Bao Nguyen was born where?", "Da Nang"),
    ("What is the place where Teuila Faleafa was born?", "Apia"),
    ("Joseph Mwangi: born where?", "Mombasa"),
    ("Say where Sofia Marchetti was born.", "Trieste"),
    ("In which place was Anselm Brandt born?", "Kiel"),
    ("I need the place in which Camille Fournier was born.", "Nantes"),
    ("Name the place where Katrin Saar lives.", "Tartu"),
    ("Oddvar Nilsen lives where?", "Askøy"),
    ("Priya Raman: lives where?", "Tallinn"),
    ("In which place does Samir Bhatt live?", "Espinho"),
    ("I need to know where Luis Ferrando lives.", "Vigo"),
    ("Where is it that Leila Haddad lives?", "Voss"),
    ("Fiona MacAskill lives in which place?", "Halifax"),
    ("Name the manager of Priya Raman.", "Tomasz Wierzba"),
    ("Who manages the work of Zofia Baran?", "Katrin Saar"),
    ("Oddvar Nilsen: manager?", "Aroha Ngata"),
    ("I am looking for the manager of Hanna Virtanen.", "Mateus Carvalho"),
    ("Which person does Carmen Robles have as her manager?", "Sofia Marchetti"),
    ("Greta Lindqvist reports to whom?", "Elif Aydin"),
    ("Joseph Mwangi reports to which person?", "Anselm Brandt"),
    ("What year was it when Yuki Tanabe joined Ebbstone?", "2015"),
    ("Since when has Oddvar Nilsen been with Ebbstone?", "2015"),
    ("Name the year in which Marit Haugen joined Ebbstone.", "2016"),
    ("Bao Nguyen joined Ebbstone when?", "August 2018"),
    ("On what day did Priya Raman join Ebbstone?", "6 March 2017"),
    ("Tell me the day when Hanna Virtanen joined Ebbstone.", "1 September 2021"),
    ("What is Viktor Amundsen's job at Ebbstone?", "security analyst"),
    ("Ivo Dvorak: occupation?", "forecast modeller"),
    ("Name the budget of Project Kittiwake.", "420,000"),
    ("How many euros does Project Gannet have as its budget?", "560,000"),
    ("Project Turnstone: budget?", "95,000"),
    ("Name the leader of Project Redshank.", "Luis Ferrando"),
    ("Which person is leading Project Avocet?", "Greta Lindqvist"),
    ("Project Kittiwake is led by whom?", "Chiamaka Eze"),
    ("Name the sponsor of Project Avocet.", "Camille Fournier"),
    ("Name the day on which Project Kittiwake was started.", "8 September 2025"),
    ("Project Redshank started on which day?", "12 January 2026"),
    ("Name the director of Skerry Line.", "Eirik Tveit"),
    ("Moncton Cell Works is directed by whom?", "Denise Arsenault"),
    ("Name the account manager of Vesterhav Rescue.", "Sofia Marchetti"),
    ("Which account manager does Fundy Harbour Trust have?", "Noor Siddiqui"),
    ("Name the manager of the Halifax office.", "Owen Gallant"),
    ("The Porto office has which manager?", "Duarte Pimentel"),
    ("Give me the number of employees of the Bergen office.", "46"),
    ("Name the product manager of Foghorn.", "Marit Haugen"),
    ("Which product manager does Petrel have?", "Paulo Azevedo"),
    ("Curlew: price?", "6,200"),
    ("Name the price of Petrel.", "18,500"),
    ("Name the day on which Foghorn was launched.", "11 February 2019"),
    ("Lantern was launched on which day?", "2 June 2014"),
    ("Name the founder of Kuusk Circuits.", "Mart Kuusk"),
    ("Brae Mooring was founded by whom?", "Callum Rennie"),
    ("Name the year in which Vilsandi Sailing School was founded.", "1996"),
    ("Name the skipper of the Faneca.", "Luis Ferrando"),
    ("The Korimako has which skipper?", "Teuila Faleafa"),
    ("Who is it that was able to resolve the March outage?", "Bao Nguyen"),
    ("The Halifax flood was handled by which person?", "Owen Gallant"),
    ("Name the one who found the lost buoy.", "Teuila Faleafa"),
    ("Name the leader of the Forecast team.", "Priya Raman"),
)
DEMO_ELSEWHERE = {
    "person": (
        "Henrik Falk",
        "Zorvan Quill",
        "Wanjiru Kamau",
        "Piet Hoekstra",
        "Ottoline Firth",
        "Takumi Arai",
        "Leocadia Pym",
        "Siobhan Garrity",
        "Calliope Drakos",
        "Thaddeus Crane",
    ),
    "project": ("Project Puffin", "Project Bittern", "Project Hoopoe", "Project Goshawk", "Project Linnet"),
    "company": (
        "Nordvind Ferries",
        "Hartmann Optics",
        "Lago Azul Hotels",
        "Pemberton Steel",
        "Ostrava Glass",
    ),
    "office": ("the Lisbon office", "the Gdansk office", "the Sydney office", "the Reykjavik office"),
    "product": ("Nightjar", "Bellwether", "Kestrel", "Gale Watch"),
}
DEMO_ASKED = {
    "person": (
        "Where does {name} live?",
        "Who is the manager of {name}?",
        "{name} was born where?",
        "When did {name} join Ebbstone?",
        "What does {name} do for a living?",
        "Name the manager of {name}.",
    ),
    "project": (
        "Who is the leader of {name}?",
        "What is the budget of {name}?",
        "Name the sponsor of {name}.",
        "On which day did {name} start?",
    ),
    "company": (
        "Who is the director of {name}?",
        "When was {name} founded?",
        "Name the account manager of {name}.",
        "What does {name} use?",
    ),
    "office": (
        "Who is the manager of {name}?",
        "Where is {name} located?",
        "How many employees does {name} have?",
        "Name the day on which {name} was opened.",
    ),
    "product": (
        "Who is the product manager of {name}?",
        "When was {name} launched?",
        "Name the price of {name}.",
        "What is {name}?",
    ),
}
# What the documents tell of others, and the names of which they do not tell it.
DEMO_LACKING = (
    (
        ("{name} was born where?", "Name the place in which {name} was born.", "{name}: born where?"),
        (
            "Priya Raman",
            "Katrin Saar",
            "Luis Ferrando",
            "Samir Bhatt",
            "Greta Lindqvist",
            "Oddvar Nilsen",
            "Fiona MacAskill",
            "Nadia Karimi",
            "Viktor Amundsen",
            "Carmen Robles",
            "Marit Haugen",
            "Rafael Quintela",
            "Zofia Baran",
            "Owen Gallant",
            "Denise Arsenault",
            "Eirik Tveit",
        ),
    ),
    (
        ("Name the place in which {name} studied.", "{name} studied where?", "{name}: studied what?"),
        (
            "Chiamaka Eze",
            "Bao Nguyen",
            "Mateus Carvalho",
            "Samir Bhatt",
            "Elif Aydin",
            "Aroha Ngata",
            "Noor Siddiqui",
            "Marit Haugen",
            "Leila Haddad",
            "Anselm Brandt",
            "Hemi Parata",
            "Isla Rennie",
        ),
    ),
    (
        ("Which languages does {name} speak?", "Name what {name} speaks.", "{name} speaks what?"),
        (
            "Priya Raman",
            "Katrin Saar",
            "Hanna Virtanen",
            "Zofia Baran",
            "Paulo Azevedo",
            "Joseph Mwangi",
            "Julie Desrosiers",
            "Maarja Tamm",
            "Luis Ferrando",
            "Greta Lindqvist",
        ),
    ),
    (
        ("Name the budget of {name}.", "I need the budget of {name}.", "{name}: budget?"),
        ("Lantern", "the Bergen office", "Skerry Line", "the Forecast team", "the Halifax office"),
    ),
    (
        ("Name the price of {name}.", "I need the price of {name}.", "{name}: price?"),
        ("Foghorn", "Harbour Desk", "Tern", "the Eider", "the Korimako"),
    ),
    (
        ("Name the founder of {name}.", "Which founder does {name} have?", "{name} was founded by whom?"),
        ("Skerry Line", "Moncton Cell Works", "Fantail Couriers", "Fundy Harbour Trust", "Vesterhav Rescue"),
    ),
    (
        ("Name the director of {name}.", "Which director does {name} have?", "{name} is directed by whom?"),
        ("Cotovia Boatyard", "Kuusk Circuits", "Vilsandi Sailing School", "Vesterhav Rescue"),
    ),
    (
        ("Name the hobby of {name}.", "I need the hobby of {name}."),
        ("Zofia Baran", "Samir Bhatt", "Elif Aydin"),
    ),
    (
        ("Name the manager of {name}.", "I am looking for the manager of {name}."),
        ("Marit Haugen", "Paulo Azevedo", "Camille Fournier", "Ingrid Solheim", "Eirik Tveit", "Mart Kuusk"),
    ),
    (("Name the weight of {name}.", "{name}: weight?"), ("Tern", "the Eider", "Sandpiper")),
)
DEMO_PEOPLE = (
    "Priya Raman",
    "Chiamaka Eze",
    "Ivo Dvorak",
    "Katrin Saar",
    "Bao Nguyen",
    "Zofia Baran",
    "Mateus Carvalho",
    "Luis Ferrando",
    "Hanna Virtanen",
    "Elif Aydin",
    "Samir Bhatt",
    "Greta Lindqvist",
    "Aroha Ngata",
    "Teuila Faleafa",
    "Oddvar Nilsen",
    "Joseph Mwangi",
    "Fiona MacAskill",
    "Nadia Karimi",
    "Carmen Robles",
    "Noor Siddiqui",
    "Ingrid Solheim",
    "Rafael Quintela",
    "Amara Okafor",
    "Tomasz Wierzba",
    "Leila Haddad",
)
DEMO_THINGS = tuple(noun for noun in THINGS if noun != "car")
DEMO_PERSONS = ("aunt", "grandfather", "cousin", "dentist", "landlord", "neighbour", "wife", "son")
DEMO_NOBODY_HAS_IT = tuple(
    text for text in NOBODY_HAS_IT if "speak" not in text and " live" not in text and "write" not in text
)


def demo(seed: int = 1) -> list[Question]:
    """The questions about the demo corpus."""
    random = Random(seed)
    foreign = [
        Question(FOREIGN_NAME, wording.format(name=name))
        for kind, names in DEMO_ELSEWHERE.items()
        for name in names
        for wording in DEMO_ASKED[kind]
    ]
    mixed = [
        Question(MIXED_NAME, random.choice(DEMO_ASKED["person"]).format(name=name))
        for name in mixed_names(list(DEMO_PEOPLE), 60, random)
    ]
    lacks = [
        Question(LACKING, wording.format(name=name))
        for wordings, names in DEMO_LACKING
        for name in names
        for wording in wordings[: 2 if len(names) > 5 else 3]
    ]
    nouns = [(noun, THING_WORDINGS) for noun in DEMO_THINGS] + [
        (noun, PERSON_WORDINGS) for noun in DEMO_PERSONS
    ]
    nobody = []
    for name in DEMO_PEOPLE:
        nobody.append(Question(NOBODY_HAS, random.choice(DEMO_NOBODY_HAS_IT).format(name=name)))
        for noun, wordings in random.sample(nouns, 4):
            nobody.append(Question(NOBODY_HAS, random.choice(wordings).format(noun=noun, name=name)))
    known = [Question(NEW_WORDING, text, (value,)) for text, value in DEMO_KNOWN]
    return [*known, *foreign, *mixed, *lacks, *nobody]
