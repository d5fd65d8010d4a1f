"""Reading files: good ones give clean text, bad ones a reason, and nothing gives a crash."""

from __future__ import annotations

import io
from datetime import date

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.ingest.read import READERS, Limits, read_document, safe_name
from knowledge.ingest.types import DocumentRefused
from tests.knowledge.bad_files import BAD_FILES, good_file, pdf, word

EXPECTED_REASONS = {
    "empty": "it is empty",
    "binary": "binary",
    "encrypted PDF": "encrypted. Remove its password",
    "truncated DOCX": "damaged or cut short",
    "60 MB": "60.1 MiB, and 25 MiB is the limit",
    "wrong encoding": "Save it as UTF-8",
    "zip bomb DOCX": "unpack to more than 200 MiB",
    "only scripts": "no text in it",
    "path in the name": "a path or control characters",
    "no extension": "no extension. Accepted are .txt, .md",
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_with_its_name_and_reason(kind):
    name, data = BAD_FILES[kind]()
    with pytest.raises(DocumentRefused, match=EXPECTED_REASONS[kind]) as refusal:
        read_document(name, data)
    assert name in str(refusal.value)


def test_a_good_file_is_read():
    assert read_document(*good_file()).text == "The head of research is Mara Lind."


@pytest.mark.parametrize(
    "name",
    [
        "C:\\secret.txt",
        "/etc/hosts.txt",
        "a\x00b.txt",
        "line\nbreak.txt",
        "safe\u202etxt.exe.txt",
        ".hidden.txt",
    ],
)
def test_names_that_are_paths_or_hide_something_are_refused(name):
    with pytest.raises(DocumentRefused):
        safe_name(name)


def test_ordinary_names_in_any_language_are_kept():
    assert (
        safe_name("Jahresbericht 2024 (endgültig) – 日本.pdf") == "Jahresbericht 2024 (endgültig) – 日本.pdf"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_the_usual_encodings_is_read_without_garbling(encoding):
    text = "Die Größe der Brücke über den Fluss beträgt 30 Meter. Sie wurde für die Gemeinde gebaut."
    assert read_document("brücke.txt", text.encode(encoding)).text == text


def test_scripts_styles_and_comments_never_reach_the_text():
    page = b"""<html><head><title>Team</title><meta name="date" content="2024-05-03"><script>alert(1)</script>
    </head><body onload="x()"><h1>Our team</h1><p>Mara Lind leads <b>Atlas</b>.</p><!-- hidden -->
    <ul><li>One</li><li>Two</li></ul><table><tr><th>Name</th><th>Role</th></tr><tr><td>Ann</td><td>Cook</td></tr>
    </table><script>document.write('Owned')</script></body></html>"""
    document = read_document("team.html", page)
    assert document.text.splitlines()[0] == "# Our team"
    assert "Mara Lind leads Atlas." in document.text
    assert "- One\n" in document.text
    assert "Ann | Cook" in document.text
    assert not any(word in document.text for word in ("alert", "hidden", "Owned", "onload"))
    assert (document.title, document.date) == ("Team", date(2024, 5, 3))


def test_markdown_keeps_headings_and_lists_and_drops_the_markup():
    source = (
        "---\ntitle: Handbook\ndate: 2024-01-02\n---\nAtlas\n=====\n\n**Mara** leads [Atlas](a.b).\n\n* one\n"
    )
    document = read_document("a.md", source.encode())
    assert document.text == "# Atlas\n\nMara leads Atlas.\n\n- one"
    assert (document.title, document.date) == ("Handbook", date(2024, 1, 2))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Internal systems\n\nHeron is a database.", "Internal systems"),
        ("  Internal   systems \r\nDate: 6 March 2026\r\n\r\nHeron is new.\r\n", "Internal systems"),
        ("\ufeffInternal systems\n================\n\nHeron is new.", "Internal systems"),
        ("== Internal systems ==\nHeron is a database.", "Internal systems"),
        ("Heron: what it is for\n\nIt stores measurements.", "Heron: what it is for"),
        ("Version 2.4 of Heron\n\nIt is new.", "Version 2.4 of Heron"),
        ("Внутренние системы\n\nТекст.", "Внутренние системы"),
    ],
)
def test_the_heading_of_a_plain_text_is_its_title(text, title):
    assert read_document("systems.txt", text.encode()).title == title


@pytest.mark.parametrize(
    "text",
    [
        "Heron is a database.",
        "Heron is a database. It stores measurements",
        "Who runs Heron?\n\nBao Nguyen does.",
        "Dear colleagues,\n\nHeron is new.",
        "Heron is the database that stores\nall measurements of the company.",
        "Heron stores " + "very " * 20 + "many measurements",
        "- Heron is a database\n- Otter is a shop",
        "Date: 6 March 2026\n\nHeron is a database.",
        "2026-03-06\n\nHeron is a database.",
        "1. Heron is a database\n2. Otter is a shop.",
        "Heron is a database",
        "Heron is a database\n\nOtter is a shop\n\nPuffin is a bus",
        "----------\nHeron is a database.",
    ],
)
def test_a_plain_text_without_a_heading_is_called_after_its_file(text):
    assert read_document("systems.txt", text.encode()).title == "systems"


def test_a_date_line_near_the_top_dates_the_document_and_prose_does_not():
    assert read_document("a.txt", b"Report\nDate: 3 May 2024\n\nText.").date == date(2024, 5, 3)
    assert read_document("b.txt", b"The bridge was opened on 3 May 2024.").date is None


def test_wrapped_lines_of_a_pdf_become_one_paragraph_again():
    data = pdf("Mara Lind has led the research depart-", "ment of the company since the spring of", "2019.")
    assert "Mara Lind has led the research department of the company since the spring of 2019." in (
        read_document("a.pdf", data).text
    )


def test_headings_lists_and_tables_of_a_word_document_are_kept():
    document = docx.Document()
    document.add_heading("Project Atlas", 1)
    document.add_paragraph("Mara Lind leads it.")
    document.add_paragraph("Owner: Mara", style="List Bullet")
    row = document.add_table(rows=1, cols=2).rows[0]
    row.cells[0].text, row.cells[1].text = "Budget", "2 million euros"
    buffer = io.BytesIO()
    document.save(buffer)
    text = read_document("atlas.docx", buffer.getvalue()).text
    assert text.startswith("# Project Atlas\n\nMara Lind leads it.")
    assert "- Owner: Mara" in text
    assert "Budget | 2 million euros" in text


def test_a_file_named_after_another_format_is_refused():
    with pytest.raises(DocumentRefused, match=r"Name it with the ending \.pdf"):
        read_document("a.txt", pdf("text"))
    with pytest.raises(DocumentRefused, match="not application/pdf"):
        read_document("a.pdf", b"plain text")


def test_a_zip_that_lies_about_its_sizes_is_measured():
    small = Limits(max_unpacked_bytes=10_000)
    with pytest.raises(DocumentRefused, match="unpack"):
        read_document("a.docx", word("x" * 20_000), limits=small)


@settings(max_examples=60, deadline=None)
@given(extension=st.sampled_from(sorted(READERS)), data=st.binary(max_size=400))
def test_any_bytes_under_any_name_give_a_document_or_a_reason(extension, data):
    try:
        read_document(f"file{extension}", data)
    except DocumentRefused as refusal:
        assert "was refused" in str(refusal)


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(["pdf", "docx"]),
    cut=st.floats(0, 1),
    flips=st.lists(st.floats(0, 0.999), max_size=6),
)
def test_damaged_files_give_a_document_or_a_reason(kind, cut, flips):
    whole = pdf("Mara Lind leads Atlas.") if kind == "pdf" else word("Mara Lind leads Atlas.")
    data = bytearray(whole[: int(len(whole) * cut)])
    for place in flips:
        if data:
            data[int(place * len(data))] ^= 0x41
    try:
        read_document(f"file.{kind}", bytes(data))
    except DocumentRefused as refusal:
        assert "was refused" in str(refusal)
