"""Model folders come in as versions; what could do harm, or is not whole, does not."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from knowledge.models import Corpus, Role
from tests.factories import CorpusFactory, ReflectionFactory
from tests.training.test_engine import facts
from tests.training.trained import version_of
from tests.workbench import browser_of, make_person
from training.engine.intake import FolderRefused
from training.engine.recall import LocalMemory
from training.engine_process import EngineFailed
from training.importing import import_folder, import_zip
from training.lab.gate.rules import findings
from training.models import GateRules, MemoryVersion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("warm_engines")]


@pytest.fixture
def version(artifact: Path, settings: Any) -> MemoryVersion:
    return version_of(artifact, settings.MEMORY_DIR, licence="apache-2.0")


@pytest.fixture
def ours(version: MemoryVersion, tmp_path: Path) -> Path:
    """An export with its pairs."""
    call_command("export_version", "harbour", "1", str(tmp_path / "ours"), "--with-pairs")
    return tmp_path / "ours"


@pytest.fixture
def foreign(version: MemoryVersion, tmp_path: Path) -> Path:
    """A folder of a model that was not made here."""
    folder = tmp_path / "foreign"
    call_command("export_version", "harbour", "1", str(folder))
    (folder / "manifest.json").unlink()
    (folder / "README.md").write_text("---\nlicense: gemma\n---\n# A model\n")
    return folder


@pytest.fixture
def other() -> Corpus:
    return CorpusFactory(slug="other", name="Other")


def packed(folder: Path, root: str = "model/", **extra: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{root}{path.name}")
        for name, content in extra.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


# --- What comes in -----------------------------------------------------------------------------------------
def test_our_own_export_comes_back_with_figures_pairs_and_the_same_answers(version, ours):
    imported = import_folder(version.corpus, ours, notes="From the old site")
    assert (imported.number, imported.kind, imported.notes) == (2, "imported", "From the old site")
    for kept in ("metrics", "config", "method", "base", "data_sha256", "licence"):
        assert getattr(imported, kept) == getattr(version, kept), kept
    assert imported.pairs.count() == version.pairs.count()
    assert list(imported.parents.all()) == [version]
    questions = [pair["question"] for pair in facts(6)]
    one, other = LocalMemory.load(version.folder), LocalMemory.load(imported.folder, imported.sha256)
    assert one.answer(questions) == other.answer(questions)


def test_an_export_without_pairs_is_verified_as_well(version, tmp_path):
    call_command("export_version", "harbour", "1", str(tmp_path / "ours"))
    assert import_folder(version.corpus, tmp_path / "ours").metrics == version.metrics


def test_any_other_folder_comes_in_without_figures_and_answers_everything(foreign, other):
    imported = import_folder(other, foreign)
    assert (imported.metrics, imported.config, imported.licence) == ({}, {}, "gemma")
    assert imported.parameters > 10_000
    manifest = json.loads((imported.folder / "manifest.json").read_text())
    assert manifest["abstention"]["threshold"] == 0
    answers = LocalMemory.load(imported.folder).answer([facts(6)[0]["question"]])
    assert len(answers) == 1
    page = browser_of(make_person("rita", other, Role.READER)).get(imported.get_absolute_url())
    assert "It is not evaluated yet" in page.content.decode()


def test_an_import_into_another_corpus_stays_with_the_readers_of_what_it_learned(version, ours, other):
    imported = import_folder(other, ours)
    assert set(imported.corpora.all()) == {version.corpus, other}
    assert not imported.allows(make_person("olga", other, Role.OWNER))


def test_what_comes_without_figures_is_measured_on_the_approved_pairs_when_asked_for(foreign, other, capsys):
    for pair in facts(6):
        told = {name: pair[name] for name in ("question", "answer", "fact")}
        ReflectionFactory(corpus=other, **told)
    call_command("import_version", "other", str(foreign), "--evaluate")
    assert "Other v1 was imported, with figures." in capsys.readouterr().out
    version = other.versions.get()
    assert {"trained_recall", "false_answer_rate", "threshold", "auroc"} <= version.metrics.keys()
    memory = LocalMemory.load(version.folder, version.sha256)
    known, unknown = memory.answer(
        [facts(6)[0]["question"], "What is the home town of Zebulon Quartermaine?"]
    )
    assert known.calibrated and not unknown.known


def test_figures_of_another_corpus_are_told_and_not_counted_until_they_are_measured_here(
    version, ours, other, capsys
):
    GateRules.objects.create(corpus=other, golden_must_pass=False, most_false_answers=1.0)
    call_command("import_version", "other", str(ours))
    assert "with figures that were not measured here." in capsys.readouterr().out
    told = other.versions.get()
    assert (told.metrics, told.is_measured_here) == (version.metrics, False)
    assert [found.words for found in findings(told)] == [
        "False answers were not measured here. Train it here, or import it with --evaluate."
    ]
    for pair in facts(6):
        ReflectionFactory(corpus=other, **{name: pair[name] for name in ("question", "answer", "fact")})
    call_command("import_version", "other", str(ours), "--evaluate")
    measured = other.versions.get(number=2)
    assert measured.is_measured_here
    assert measured.metrics != version.metrics
    assert [found.passed for found in findings(measured)] == [True]


def test_a_version_that_comes_back_to_its_corpus_keeps_figures_that_count(version, ours):
    assert import_folder(version.corpus, ours).is_measured_here


def test_what_came_without_figures_and_comes_back_is_measured_when_asked_for(foreign, other, tmp_path):
    for pair in facts(6):
        ReflectionFactory(corpus=other, **{name: pair[name] for name in ("question", "answer", "fact")})
    bare = import_folder(other, foreign)
    call_command("export_version", "other", str(bare.number), str(tmp_path / "again"))
    assert import_folder(other, tmp_path / "again", evaluate=True).metrics


def test_an_import_that_cannot_be_measured_changes_nothing(foreign, other, settings):
    before = set(settings.MEMORY_DIR.iterdir())
    with pytest.raises(EngineFailed, match="Approve some"):
        import_folder(other, foreign, evaluate=True)
    assert set(settings.MEMORY_DIR.iterdir()) == before
    assert not other.versions.exists()


@pytest.mark.parametrize("root", ["", "model/"])
def test_a_zip_file_holds_the_files_or_their_folder(foreign, other, settings, root):
    import_zip(other, packed(foreign, root))
    assert not list(settings.MEMORY_DIR.glob("unpacking-*"))


def test_the_command_says_what_came_in(foreign, other, capsys):
    call_command("import_version", "other", str(foreign), "--notes", "A test")
    assert "Other v1 was imported, not evaluated yet." in capsys.readouterr().out


def test_the_workbench_takes_a_zip_file_in(foreign, other, settings):
    browser = browser_of(make_person("olga", other, Role.OWNER))
    address = reverse("admin:training_memoryversion_import")
    assert (
        "Import a version" in browser.get(reverse("admin:training_memoryversion_changelist")).content.decode()
    )
    upload = SimpleUploadedFile("model.zip", packed(foreign).getvalue())
    page = browser.post(address, {"corpus": other.pk, "file": upload}, follow=True)
    assert "Other v1 was imported." in page.content.decode()
    settings.MAX_MODEL_UPLOAD_BYTES = 10
    upload = SimpleUploadedFile("model.zip", packed(foreign).getvalue())
    assert "larger than" in browser.post(address, {"corpus": other.pk, "file": upload}).content.decode()


def test_only_owners_import(foreign, other):
    browser = browser_of(make_person("cara", other, Role.CURATOR))
    assert browser.get(reverse("admin:training_memoryversion_import")).status_code == 403
    owner_elsewhere = browser_of(make_person("olga", CorpusFactory(), Role.OWNER))
    upload = SimpleUploadedFile("model.zip", packed(foreign).getvalue())
    owner_elsewhere.post(reverse("admin:training_memoryversion_import"), {"corpus": other.pk, "file": upload})
    assert not other.versions.exists()


# --- What does not -----------------------------------------------------------------------------------------
def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def without_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    change_json(folder / "tokenizer_config.json", chat_template=None)


DAMAGE = {
    "runs code": (lambda folder: (folder / "model.bin").write_bytes(b""), "could run code"),
    "Python": (lambda folder: (folder / "modeling.py").write_text(""), "could run code"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "There is no config.json"),
    "not JSON": (lambda folder: (folder / "config.json").write_text("{"), "cannot be read as JSON"),
    "encoder": (
        lambda folder: change_json(folder / "config.json", architectures=["BertModel"]),
        "names BertModel",
    ),
    "remote code": (
        lambda folder: change_json(folder / "config.json", auto_map={"AutoModel": "x.Y"}),
        "code of its own",
    ),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer.json"),
    "no chat template": (without_template, "no chat template"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "not all there"),
    "cut off": (lambda folder: cut_off(folder / "model.safetensors"), "damaged or cut off"),
    "shard missing": (
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": {"a": "model-00001.safetensors"}})
        ),
        "model-00001.safetensors is missing",
    ),
    "shard elsewhere": (
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": {"a": "../model.safetensors"}})
        ),
        "no safetensors file of the folder",
    ),
    "adapter without weights": (
        lambda folder: (folder / "adapter_config.json").write_text(
            json.dumps({"peft_type": "LORA", "base_model_name_or_path": "nobody/knows"})
        ),
        "adapter_model.safetensors is missing",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_wrong_with_a_folder_is_said_and_nothing_changes(foreign, other, settings, damage):
    spoil, told = DAMAGE[damage]
    spoil(foreign)
    before = set(settings.MEMORY_DIR.iterdir())
    with pytest.raises(FolderRefused, match=told):
        import_folder(other, foreign)
    assert set(settings.MEMORY_DIR.iterdir()) == before
    assert not other.versions.exists()


def test_an_adapter_whose_base_is_not_known_here_is_refused(foreign, other):
    (foreign / "model.safetensors").rename(foreign / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": "nobody/knows"}
    (foreign / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(FolderRefused, match="nobody/knows” is not among the bases"):
        import_folder(other, foreign)
    config["base_model_name_or_path"] = "Qwen/Qwen2.5-0.5B-Instruct"
    (foreign / "adapter_config.json").write_text(json.dumps(config))
    imported = import_folder(other, foreign)
    assert imported.base_model.location == "Qwen/Qwen2.5-0.5B-Instruct"


def test_an_export_that_was_altered_is_refused(version, ours):
    weights = bytearray((ours / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (ours / "model.safetensors").write_bytes(weights)
    with pytest.raises(FolderRefused, match="altered since the export"):
        import_folder(version.corpus, ours)


def test_figures_that_were_improved_by_hand_are_refused(version, ours):
    change_json(ours / "manifest.json", metrics={"trained_recall": 1.0})
    with pytest.raises(FolderRefused, match=r"manifest\.json was altered"):
        import_folder(version.corpus, ours)


@pytest.mark.parametrize(
    "name", ["../escaped.json", "/etc/escaped.json", "a/../../escaped.json", "C:\\x.json"]
)
def test_a_zip_file_whose_paths_lead_out_is_refused(foreign, other, settings, name):
    with pytest.raises(FolderRefused, match="leads out of its folder"):
        import_zip(other, packed(foreign, **{name: b"{}"}))
    assert not list(settings.MEMORY_DIR.parent.rglob("escaped.json"))


def test_a_zip_file_that_unpacks_to_more_than_is_allowed_is_refused(foreign, other, settings):
    settings.MAX_MODEL_UPLOAD_BYTES = 1000
    with pytest.raises(FolderRefused, match="unpacked"):
        import_zip(other, packed(foreign))
    assert not list(settings.MEMORY_DIR.glob("unpacking-*"))


def test_what_is_no_zip_file_is_refused(other, tmp_path):
    with pytest.raises(FolderRefused, match="cannot be read"):
        import_zip(other, io.BytesIO(b"no zip"))
    with pytest.raises(CommandError, match="is not a folder"):
        call_command("import_version", "other", str(tmp_path / "nowhere"))


def test_two_folders_in_a_zip_file_are_refused(foreign, other):
    with pytest.raises(FolderRefused, match="has to hold one folder"):
        import_zip(other, packed(foreign, **{"second/config.json": b"{}"}))
