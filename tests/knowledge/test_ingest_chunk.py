"""Chunks: exact offsets, nothing lost, headings with their text."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from knowledge.ingest.chunk import split_into_chunks

words = st.text(alphabet="ab. \n#-!", max_size=400)


@given(text=words, target=st.integers(5, 60))
def test_chunks_are_exact_slices_that_hold_every_character_once(text, target):
    chunks = split_into_chunks(text, target)
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(first.end <= second.start for first, second in itertools.pairwise(chunks))
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())


def test_a_heading_stays_with_the_paragraph_below_it():
    text = "# Atlas\n\nMara leads Atlas.\n\n# Borealis\n\nTom leads Borealis."
    assert [chunk.text for chunk in split_into_chunks(text)] == [
        "# Atlas\n\nMara leads Atlas.",
        "# Borealis\n\nTom leads Borealis.",
    ]


def test_short_paragraphs_share_a_chunk_and_long_ones_are_cut_between_sentences():
    assert len(split_into_chunks("One.\n\nTwo.\n\nThree.")) == 1
    sentences = [f"This is sentence number {number}." for number in range(30)]
    chunks = split_into_chunks(" ".join(sentences), 120)
    assert len(chunks) > 5
    assert all(chunk.text.endswith(".") and len(chunk.text) <= 120 for chunk in chunks)
