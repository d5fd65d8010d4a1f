"""The passages that come with a file of questions, as documents of the corpus that is asked about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.fields.files import FieldFile

from knowledge.ingest.read import Limits, checksum, read_document, safe_name
from knowledge.ingest.types import DocumentRefused
from knowledge.models import Corpus, Role
from knowledge.services import Ingested, store_document
from training.evaluation.readers import Loaded
from training.evaluation.types import Passage, Question
from training.lab.sets.services import BadSet, Stored, import_set
from training.models import EvaluationSet

LONGEST_TITLE = 280  # of a document, with room for a number behind it
TITLE_IN_NAME = 100  # characters of a title that stand in the name of its file
TITLES_AT_A_TIME = 500
UNTITLED = "Untitled"
#: More than that take minutes: the command brings them in, which nobody waits for before a page.
MOST_ON_A_PAGE = 2000


@dataclass(frozen=True)
class Brought:
    """What became of passages: how many are new documents, were there already, or could not be documents."""

    added: int = 0
    unchanged: int = 0
    left_out: int = 0

    def __str__(self) -> str:
        told = f"{self.added:,} added, {self.unchanged:,} there already"
        return f"{told}, {self.left_out:,} without text left out" if self.left_out else told


def import_with_passages(
    corpus: Corpus,
    person: Any,
    name: str,
    loaded: Loaded,
    *,
    is_golden: bool = False,
    most: int | None = None,
) -> tuple[EvaluationSet, Stored, Brought]:
    """As ``import_set``, and each passage becomes a document, unless it is one; all of it or nothing.

    Raises what ``import_set`` raises, and BadSet where the file has no passages, or more than ``most``.
    """
    _require_passages(loaded, most)
    if person is not None:
        corpus.require(person, Role.CURATOR)
    written: list[FieldFile] = []
    try:
        with transaction.atomic():
            questions, brought = bring_in(corpus, person, loaded, written)
            found = replace(loaded, questions=questions)
            row, stored = import_set(corpus, person, name, found, is_golden=is_golden)
    except BaseException:
        for file in written:  # the database takes back rows, not files
            file.delete(save=False)
        raise
    return row, stored, brought


def _require_passages(loaded: Loaded, most: int | None) -> None:
    if not loaded.passages:
        raise BadSet(
            "The file brings no passages that could become documents. Import it without them; passages that lie "
            "beside a file are read by the command evaluation_set."
        )
    if most is not None and len(loaded.passages) > most:
        raise BadSet(
            f"The file brings {len(loaded.passages):,} passages; {most:,} is the limit here. An operator can use "
            "the command evaluation_set --with-passages."
        )


def bring_in(
    corpus: Corpus, person: Any, loaded: Loaded, written: list[FieldFile]
) -> tuple[tuple[Question, ...], Brought]:
    """Store the passages, and name the documents of the questions as the corpus does.

    A title that a document with other text has gets a number behind it, the same one each time. ``written``
    gets each file that is stored.
    """
    Corpus.objects.select_for_update().get(pk=corpus.pk)  # nobody else takes a title meanwhile
    before = _Titles(corpus, [_titled(passage) for passage in loaded.passages])
    titles: dict[str, str] = {}
    added = unchanged = left_out = 0
    for passage in loaded.passages:
        if not passage.text.strip():
            left_out += 1
            continue
        title, is_there = before.place(passage)
        if not is_there:
            ingested = _store(corpus, person, replace(passage, title=title))
            is_there = ingested.outcome == "unchanged"
            if document := ingested.document:
                title = document.title
                written += [] if is_there else [document.file]
        titles[_titled(passage)] = title
        added, unchanged = added + (not is_there), unchanged + is_there
    questions = tuple(_renamed(question, titles) for question in loaded.questions)
    return questions, Brought(added, unchanged, left_out)


class _Titles:
    """The titles that are taken, with the content of the documents that have them."""

    def __init__(self, corpus: Corpus, titles: Iterable[str]) -> None:
        self._corpus = corpus
        self._taken: dict[str, list[tuple[str, str]]] = {}
        wanted = list(dict.fromkeys(titles))
        for start in range(0, len(wanted), TITLES_AT_A_TIME):
            self._look_up(wanted[start : start + TITLES_AT_A_TIME])

    def place(self, passage: Passage) -> tuple[str, bool]:
        """The title for the passage, and whether a document with it says the same already."""
        wanted = title = _titled(passage)
        number = 1
        while self._of(title):
            if self._says(title, passage.text):
                return title, True
            number += 1
            title = f"{wanted} ({number})"
        data = _data(replace(passage, title=title))
        self._taken[title] = [(checksum(data), passage.text)]
        return title, False

    def _says(self, title: str, text: str) -> bool:
        """Whether a document of that title is the passage: byte for byte, or as somebody else stored it."""
        mark, words = checksum(_data(Passage(title, text))), text.split()
        as_stored = (words, ["#", *title.split(), *words], [*title.split(), *words])
        return any(mark == theirs or told.split() in as_stored for theirs, told in self._of(title))

    def _of(self, title: str) -> list[tuple[str, str]]:
        if title not in self._taken:
            self._look_up([title])
        return self._taken[title]

    def _look_up(self, titles: Sequence[str]) -> None:
        self._taken |= {title: [] for title in titles}
        rows = self._corpus.documents.current().filter(title__in=titles)
        for title, mark, text in rows.values_list("title", "checksum", "text"):
            self._taken[title].append((mark, text))


def _store(corpus: Corpus, person: Any, passage: Passage) -> Ingested:
    """Store a passage as a document, unless the content is there already.

    The name of its file holds a hash, so that it never becomes a new version of somebody's document.
    """
    mark = hashlib.sha256(f"{passage.title}\x1f{passage.text}".encode()).hexdigest()[:12]
    stem = passage.title[:TITLE_IN_NAME].strip().replace("/", "-")
    data = _data(passage)
    try:
        parsed = read_document(
            safe_name(f"{stem}-{mark}.md"), data, limits=Limits(max_bytes=settings.MAX_UPLOAD_BYTES)
        )
        return store_document(corpus, replace(parsed, title=passage.title), data, person)
    except DocumentRefused as error:
        raise BadSet(f"The passage “{passage.title[:80]}” cannot be a document. {error}") from error


def _data(passage: Passage) -> bytes:
    """A Markdown file with the title over the text."""
    heading = "" if passage.text.lstrip().startswith("#") else f"# {passage.title}\n\n"
    return f"{heading}{passage.text}".encode()


def _titled(passage: Passage) -> str:
    """The passage's title as a document has one: on one line, and not empty."""
    return _one_line(passage.title)[:LONGEST_TITLE] or UNTITLED


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _renamed(question: Question, titles: Mapping[str, str]) -> Question:
    documents = tuple(titles.get(_one_line(title), title) for title in question.documents)
    return replace(question, documents=documents)


__all__ = ["MOST_ON_A_PAGE", "Brought", "bring_in", "import_with_passages"]
