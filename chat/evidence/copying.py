"""An answer with what supports it, as Markdown to paste elsewhere.

No HTML and no links come out but those to documents, whatever the EXECUTIVE and MEMORY wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chat.evidence.sources import WEIGHTS_UNREAD, Sources, SupportingPair
from knowledge.figures import percent

NO_ANSWER = "There is no answer yet."
#: All but [1]: a link in a copied answer would lead anywhere.
_BRACKET = re.compile(r"\\*\[(?!\d+\](?![(\[:]))")
_TAG = re.compile(r"\\*<")
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~!])")


def as_markdown(
    question: str,
    answer: str,
    versions: Sequence[str],
    asked: Sequence[Sources],
    absolute: Callable[[str], str] = str,
) -> str:
    """The answer, what memory was asked, and the supporting documents; ``versions`` say who answered.

    ``absolute`` makes a whole address of a path of this site.
    """
    parts = [f"**{_plain(question)}**", _harmless(answer) or NO_ANSWER]
    if asked:
        by = f" ({'; '.join(map(_plain, versions))})" if versions else ""
        parts += [
            f"Sub-questions to memory{by}:",
            "\n".join(_as_item(each, absolute) for each in asked),
        ]
    if any(each.pairs for each in asked):
        parts.append(f"*{WEIGHTS_UNREAD}*")
    return "\n\n".join(parts) + "\n"


def _as_item(sources: Sources, absolute: Callable[[str], str]) -> str:
    sure = (
        f" ({percent(sources.confidence)} sure)" if sources.known and sources.confidence is not None else ""
    )
    said = _plain(sources.answer) or "No answer."
    lines = [f"{sources.index}. {_plain(sources.question)}", f"   {said}{sure}"]
    lines += [_as_support(pair, absolute) for pair in sources.pairs]
    if not sources.pairs and sources.known:
        lines.append(f"   - Supporting (none): {sources.why_none}")
    if sources.hidden_pairs:
        lines.append(f"   - {sources.hidden_pairs_told}")
    return "\n".join(lines)


def _as_support(pair: SupportingPair, absolute: Callable[[str], str]) -> str:
    grade = f"{pair.grade}, another answer" if pair.answers_otherwise else pair.grade
    notes = "".join(f" {_plain(note)}" for note in pair.since)
    quoted = [
        f"[{_plain(one.document)}, version {one.version}]({absolute(one.url)})"
        f"{f' ({one.since})' if one.since else ''}: “{_plain(one.marked)}”"
        for one in pair.passages
    ]
    if pair.hidden_passages:
        quoted.append(pair.hidden_passages_told)
    return f"   - Supporting ({grade}): {_plain(pair.question)} {_plain(pair.answer)}{notes}" + "".join(
        f"\n     - {each}" for each in quoted
    )


def _plain(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _harmless(text: str) -> str:
    """Markdown without its links and HTML; citations such as [1] stay."""
    return _TAG.sub(r"\\<", _BRACKET.sub(r"\\[", text.strip()))
