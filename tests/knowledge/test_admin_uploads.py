"""Bad files on the upload page of the admin: each is told why it stays out, and the good one goes in."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from knowledge.models import Chunk, Corpus, Document, Role
from tests.factories import CorpusFactory
from tests.knowledge.bad_files import BAD_FILES, File, good_file
from tests.workbench import browser_of, make_person

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/knowledge/document/upload/"
BOUNDARY = "between-the-files"
PATH_IN_NAME = "path in the name"
REASONS = {
    "empty": "it is empty",
    "binary": "binary",
    "encrypted PDF": "encrypted. Remove its password",
    "truncated DOCX": "damaged or cut short",
    "60 MB": "25 MiB is the limit. Split it",
    "wrong encoding": "Save it as UTF-8",
    "zip bomb DOCX": "unpack to more than 200 MiB",
    "only scripts": "no text in it",
    "no extension": "no extension. Accepted are .txt, .md",
}


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


def multipart(files: list[File]) -> bytes:
    """The body of the form as a browser, or somebody in its place, sends it: names go out as they are."""
    field = 'Content-Disposition: form-data; name="{}"'
    parts = [f"{field.format('files-corpus')}\r\n\r\nharbour".encode()]
    for name, data in files:
        head = f'{field.format("files-documents")}; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        parts.append(head.encode() + data)
    mark = f"--{BOUNDARY}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def upload(person: Any, *files: File) -> Any:
    body = multipart(list(files))
    return browser_of(person).post(UPLOAD, body, content_type=f"multipart/form-data; boundary={BOUNDARY}")


def told(response: Any) -> dict[str, tuple[str, str]]:
    """What the page says about each file: its outcome and the message beside it."""
    rows = re.findall(r"<tr>(.*?)</tr>", response.content.decode(), re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in rows]
    texts = [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]
    return {name: (outcome, message) for name, outcome, message in filter(None, texts)}


def stored_files(settings: Settings) -> list[Path]:
    """Every file below the test's own folder, the media folder and what lies around it."""
    return [path for path in Path(settings.MEDIA_ROOT).parent.rglob("*") if path.is_file()]


def test_one_upload_of_all_bad_files_and_a_good_one_says_why_each_bad_one_stays_out(
    corpus: Corpus, settings: Settings
) -> None:
    curator = make_person("cara", corpus, Role.CURATOR)
    bad = {kind: make() for kind, make in BAD_FILES.items()}
    said = told(upload(curator, *bad.values(), good_file()))
    for kind, reason in REASONS.items():
        name, _ = bad[kind]
        outcome, message = said.pop(name)
        assert outcome == "refused", kind
        assert name in message
        assert reason in message
    # What remains is the good file, and the one whose name was a path: Django takes the path off before anybody
    # sees it, so a harmless text comes in under the bare name.
    assert said == {"good.txt": ("added", "Stored."), "passwd.txt": ("added", "Stored.")}
    assert {document.name: document.uploaded_by for document in Document.objects.all()} == {
        "good.txt": curator,
        "passwd.txt": curator,
    }
    assert Chunk.objects.count() == 2
    contents = {path.read_bytes() for path in stored_files(settings)}
    assert contents == {good_file()[1], bad[PATH_IN_NAME][1]}


@pytest.mark.parametrize(
    "name",
    [BAD_FILES[PATH_IN_NAME]()[0], "/etc/passwd.txt", r"C:\etc\passwd.txt", r"..\..\etc\passwd.txt"],
)
def test_a_path_in_a_name_leads_nowhere_out_of_the_media_folder(
    corpus: Corpus, settings: Settings, name: str
) -> None:
    response = upload(make_person("cara", corpus, Role.CURATOR), (name, BAD_FILES[PATH_IN_NAME]()[1]))
    assert response.status_code == 200
    document = Document.objects.get()
    assert document.name == "passwd.txt"
    assert stored_files(settings) == [Path(document.file.path)]
    assert Path(document.file.path).resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve())


@pytest.mark.parametrize("name", ["..", "...", "a/..", "", "   .txt"])
def test_a_name_of_nothing_but_dots_stores_nothing_and_breaks_nothing(
    corpus: Corpus, settings: Settings, name: str
) -> None:
    response = upload(make_person("cara", corpus, Role.CURATOR), (name, b"Ada leads the pier."), good_file())
    assert response.status_code == 200
    assert [row.name for row in Document.objects.all()] == ["good.txt"]
    assert len(stored_files(settings)) == 1
