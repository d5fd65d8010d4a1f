"""The certificate that a document is forgotten: what was done and measured, without a word of the document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from training.models import ForgottenDocument, MemoryVersion, ProbeRun

#: What the certificate does not say, so that nobody reads it there.
LIMITS = (
    "Versions kept from serving still hold the weights that they were trained to; deleting them removes those.",
    "The uploaded file, the rows of the document, its pairs and the probes, kept replies of language models, "
    "earlier answers in the chat and in evaluations, and the pairs kept beside a version's files stay on the "
    "site, as do backups.",
    "Exports of earlier versions that left this site are not reached.",
    "The probes are the approved pairs whose words no other passage has; nothing else is asked.",
)


def certificate_of(
    row: ForgottenDocument, run: ProbeRun | None, versions: Sequence[Mapping[str, Any]], person: Any
) -> dict[str, Any]:
    """The certificate with its SHA-256 over all that it says, as canonical JSON.

    Without ``run`` there was nothing to look for: no approved pair was answered by the document alone.
    """
    assert row.certified_at is not None  # noqa: S101 - set by the caller
    told: dict[str, Any] = {
        "corpus": row.corpus.slug,
        "document": {"title": row.title, "name": row.name, "text_sha256": row.sha256},
        "reason": row.reason,
        "asked_by": _name(row.asked_by),
        "asked_at": row.asked_at.isoformat(timespec="seconds"),
        "certified_by": _name(person),
        "certified_at": row.certified_at.isoformat(timespec="seconds"),
        "pairs_withdrawn": len(row.pair_digests),
        "pairs_sha256": _sha256(row.pair_digests),
        "versions": [
            {key: each[key] for key in ("number", "sha256", "data_sha256", "state")} for each in versions
        ],
        "retrained": _version(run.version) if run else None,
        "probes": _probes(row, run) if run else {"asked": 0, "sha256": _sha256(row.probes)},
        "limits": list(LIMITS),
    }
    return {**told, "sha256": _sha256(told)}


def _version(version: MemoryVersion) -> dict[str, Any]:
    return {"number": version.number, "sha256": version.sha256, "data_sha256": version.data_sha256}


def _probes(row: ForgottenDocument, run: ProbeRun) -> dict[str, Any]:
    return {
        "asked": run.result["told"]["total"],
        "sha256": _sha256(row.probes),
        "answered_as_the_document": run.result["told"],
        "answered_in_any_way": run.result["answered"],
        "never_seen_answered": run.result["false"],
        "probed_at": run.finished_at.isoformat(timespec="seconds") if run.finished_at else "",
    }


def is_genuine(certificate: Mapping[str, Any]) -> bool:
    """Whether the certificate's hash is that of what it says."""
    told = {key: value for key, value in certificate.items() if key != "sha256"}
    return certificate.get("sha256") == _sha256(told)


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _name(person: Any) -> str:
    return person.get_username() if getattr(person, "pk", None) else "the operator of the site"
