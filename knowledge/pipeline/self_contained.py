"""Step 3's question: can this pair be understood by someone who has never seen the document?"""

from __future__ import annotations

import re

LONGEST_QUESTION = 60
LONGEST_ANSWER = 80

_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|them|his|hers?|its|theirs?|we|us|our|ours|i|me|my|you|your|himself|herself|itself|"
    r"themselves)\b",
    re.IGNORECASE,
)
#: "you" and "it" of set phrases that ask politely or put a question into a cleft, not about anything.
_SET_PHRASE = re.compile(
    r"\b(?:can|could|do|would) you (?:please )?(?:tell me|know|say)\b|\b(?:who|what|which \w+) is it that\b"
    r"|\btell me\b",
    re.IGNORECASE,
)
_DEICTIC = re.compile(
    r"\b(?:this|these|those|the (?:former|latter|above|following|aforementioned|said))\b", re.IGNORECASE
)
_BARE_NOUNS = (
    "company|firm|organisation|organization|project|programme|program|team|museum|club|city|town|village|book|film|"
    "album|song|band|group|product|device|system|incident|accident|event|man|woman|author|person|document|text|"
    "passage|article|section|page|report|building|bridge|ship|school|university|game|series|season|state|county|"
    "province|council|commission|diocese|government|country|nation|continent|empire|kingdom|region|island|church|"
    "airport|battle|war|election|tournament|league|episode|novel|movie|show|character|family|species|genus|community|"
    "structure|structures|party|town|album|track|music|lyrics|former|latter"
)
_BARE_DEFINITE = re.compile(
    rf"\bthe (?:{_BARE_NOUNS})(?='s\b|\s*[,.?]|\s+(?:is|are|was|were|has|have|had|do|does|did|and)\b"
    r"|\s+(?:from|at|by|with|to|for|as|during|after|before|since|into|until|when|that|which|who)\b"
    r"|\s+(?:in|on)\s+(?=\d|(?-i:[A-Z]))|$)",
    re.IGNORECASE,
)
_RELATIVE_TIME = re.compile(
    r"\b(?:yesterday|today|tomorrow|tonight|nowadays"
    r"|(?:last|next) (?:year|month|week|summer|winter|spring|autumn|season)"
    r"|\w+ (?:days?|weeks?|months?|years?) (?:ago|later|earlier))\b",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\b(?:according to|in|by) the (?:document|text|passage|article|section|page)\b"
    r"|\bthe (?:document|text|passage|article) (?:says|states|mentions|describes)\b",
    re.IGNORECASE,
)


def objection(question: str, answer: str) -> str:
    """Why a pair is not self-contained, or "" if it is.

    It objects to pronouns without a name, "the company" and the like, times relative to the telling, talk
    about the document itself, and questions or answers that are empty or too long.
    """
    if not question.strip() or not answer.strip():
        return "empty"
    if not question.strip().endswith("?"):
        return "not a question"
    if len(question.split()) > LONGEST_QUESTION or len(answer.split()) > LONGEST_ANSWER:
        return "too long"
    return _objection_to_text(_SET_PHRASE.sub(" ", question)) or _objection_to_text(answer)


def _objection_to_text(text: str) -> str:
    unquoted = re.sub(r"[\"“][^\"”]*[\"”]", "", text)
    checks = (
        (_PRONOUN, "pronoun without a name"),
        (_DEICTIC, "points into its context"),
        (_BARE_DEFINITE, "definite description without a name"),
        (_RELATIVE_TIME, "relative time"),
        (_DOCUMENT, "talks about the document"),
    )
    for pattern, reason in checks:
        match = pattern.search(unquoted)
        if match and not _is_part_of_name(unquoted, match):
            return f"{reason}: {match.group()}"
    return ""


def _is_part_of_name(text: str, match: re.Match[str]) -> bool:
    """ "US", "IT" and "The Who" are names, though their letters spell a pronoun."""
    word = match.group()
    if word[:1].isupper() and text[match.end() : match.end() + 2].strip()[:1].isupper():
        return True
    return (word.isupper() and len(word) > 1) or (
        word[:1].isupper() and match.start() > 0 and text[match.start() - 2] not in ".?!:"
    )
