"""An imported folder is never followed to another one: its base and past are what the registry knows of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowledge.models import Corpus
from memosite.errors import MemoError
from tests.factories import CorpusFactory
from tests.training.bases import CHATML, save_llama, save_qwen2
from training.continuing import CONTINUED_RATE, Continued
from training.engine import artifact
from training.engine.bases import open_model, open_tokenizer
from training.engine.config import EngineConfig
from training.engine.encode import Encoder
from training.engine.errors import BadArtifact
from training.engine.intake import FolderRefused
from training.engine.loading import load_causal_lm
from training.engine.merge_files import TensorFiles
from training.engine.merge_parents import open_parents
from training.engine.recipes import recipe_values
from training.exporting import export_folder
from training.importing import import_folder
from training.models import BaseModel, MemoryVersion
from training.serving import memory_for

pytestmark = pytest.mark.django_db
TEXTS = ["What is the home town of Ada Marsh? The home town of Ada Marsh is Oslo."]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen2(tmp_path_factory.mktemp("origin") / "base", TEXTS)


@pytest.fixture
def base(weights: Path) -> BaseModel:
    return BaseModel.objects.create(
        name="Tiny", source="folder", location=str(weights), licence="mit", revision="f" * 64
    )


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="other", name="Other")


@pytest.fixture
def adapter(weights: Path, tmp_path: Path) -> Path:
    """What peft's save_pretrained writes: an adapter and its configuration."""
    torch.manual_seed(3)
    config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(weights), config).save_pretrained(
        tmp_path / "adapter"
    )
    return tmp_path / "adapter"


def claim(folder: Path, **told: Any) -> Path:
    """Write a manifest of ours into the folder, with hashes that fit."""
    limits = {"question_tokens": 64, "answer_tokens": 16}
    manifest = {
        "method": "lora",
        "base": "Tiny",
        "config": {},
        "metrics": {},
        "data_sha256": "",
        "limits": limits,
    }
    abstention = {"threshold": 0.0, "echo": {"names": False, "common": None}}
    artifact.complete(folder, manifest | {"abstention": abstention} | told)
    (folder / "COMPLETE").unlink()
    return folder


def texts_of(version: MemoryVersion) -> str:
    return "".join(path.read_text() for path in version.folder.glob("*.json"))


# --- Places that a manifest names ------------------------------------------------------------------------------
def test_an_adapter_is_loaded_on_its_approved_base_whatever_its_manifest_names(
    adapter, base, corpus, weights, settings
):
    secret = save_llama(settings.MEMORY_DIR / "secret-run7", TEXTS)
    place = {"source": "folder", "location": str(secret), "revision": ""}
    imported = import_folder(corpus, claim(adapter, base_model=place))
    manifest = artifact.verify(imported.folder)
    assert manifest["base_model"] == {"source": "folder", "location": str(weights), "revision": "f" * 64}
    assert imported.base_model == base
    model, _ = load_causal_lm(imported.folder, manifest)
    assert model.config.model_type == "qwen2"


@pytest.mark.parametrize("is_adapter", [True, False])
def test_no_place_that_an_imported_manifest_names_is_kept(
    adapter, base, corpus, weights, settings, tmp_path, is_adapter
):
    secret = "secret-run7"
    (settings.MEMORY_DIR / secret).mkdir(parents=True)
    told = {
        "base_model": {"source": "folder", "location": secret, "revision": ""},
        "config": {"base": secret, "init": secret, "tokenizer": secret, "revision": secret, "seed": 5},
        "merge": {"common": secret, "seconds": 2.0},
    }
    folder = adapter if is_adapter else save_qwen2(tmp_path / "whole", TEXTS)
    imported = import_folder(corpus, claim(folder, **told))
    assert secret not in texts_of(imported)
    assert secret not in json.dumps(imported.config)
    assert imported.config["seed"] == 5
    assert artifact.verify(imported.folder)["merge"] == {"seconds": 2.0}


@pytest.mark.parametrize(
    "told", [{"config": None}, {"base_model": "secret-run7"}, {"merge": ["secret-run7"]}]
)
def test_a_manifest_that_is_not_written_as_ours_is_somebody_else_s(corpus, tmp_path, told):
    imported = import_folder(corpus, claim(save_qwen2(tmp_path / "whole", TEXTS), **told))
    assert imported.method == "imported"
    assert "secret-run7" not in texts_of(imported)


def test_an_imported_version_has_no_ancestors_beside_it(corpus, settings, tmp_path):
    secret = settings.MEMORY_DIR / "secret-run7"
    secret.mkdir(parents=True)
    artifact.complete(secret, {"config": {}})
    folder = save_qwen2(tmp_path / "whole", TEXTS)
    imported = import_folder(corpus, claim(folder, config={"init": f"/elsewhere/{secret.name}"}))
    (parent,) = open_parents([imported.folder])
    assert [place for _, place in parent.ancestors()] == [imported.folder]
    artifact.complete(imported.folder, artifact.verify(imported.folder) | {"config": {"init": str(secret)}})
    (parent,) = open_parents([imported.folder])
    assert [place for _, place in parent.ancestors()] == [imported.folder]


def test_the_weights_of_an_adapter_are_its_own_file_whatever_an_index_beside_it_names(
    adapter, base, corpus, settings
):
    secret = settings.MEMORY_DIR / "secret-run7"
    secret.mkdir(parents=True)
    save_file({"secret": torch.ones(1)}, secret / "adapter_model.safetensors")
    index = {"weight_map": {"secret": "../secret-run7/adapter_model.safetensors"}}
    (adapter / "model.safetensors.index.json").write_text(json.dumps(index))
    imported = import_folder(corpus, adapter)
    assert not (imported.folder / "model.safetensors.index.json").exists()
    assert "secret" not in TensorFiles(adapter, is_adapter=True).infos


def test_a_built_in_size_is_no_base_of_an_adapter(adapter, base, corpus):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "small"}))
    with pytest.raises(FolderRefused, match="small” is not among the bases"):
        import_folder(corpus, adapter)


def test_an_adapter_for_another_revision_of_its_base_is_refused(adapter, base, corpus):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"revision": "a" * 40}))
    with pytest.raises(FolderRefused, match="at revision aaaaaaaaaaaa is not among the bases"):
        import_folder(corpus, adapter)


@pytest.mark.parametrize(
    "change", [{"bias": "all"}, {"init_lora_weights": "pissa"}, {"layer_replication": [[0, 2]]}]
)
def test_an_adapter_that_changes_the_base_that_others_share_is_refused(adapter, base, corpus, change):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | change))
    with pytest.raises(FolderRefused, match="its base is shared with others"):
        import_folder(corpus, adapter)


# --- Adapters that were saved alone ----------------------------------------------------------------------------
def test_a_plain_peft_folder_answers_with_the_tokenizer_of_its_base(adapter, base, corpus):
    assert not (adapter / "tokenizer.json").exists()
    imported = import_folder(corpus, adapter)
    assert AutoTokenizer.from_pretrained(imported.folder).chat_template == CHATML
    (answer,) = memory_for(imported).answer(["What is the home town of Ada Marsh?"])
    assert not answer.calibrated
    assert load_file(imported.folder / "adapter_model.safetensors")


def test_an_adapter_with_nothing_but_a_chat_template_gets_the_rest_from_its_base(adapter, base, corpus):
    (adapter / "chat_template.jinja").write_text(CHATML)
    imported = import_folder(corpus, adapter)
    assert memory_for(imported).answer(["What is the home town of Ada Marsh?"])


def test_the_revision_that_an_adapter_was_trained_on_is_kept_where_its_base_is_not_pinned(
    adapter, base, corpus
):
    BaseModel.objects.filter(pk=base.pk).update(revision="")
    place = {"source": "folder", "location": base.location, "revision": "a" * 64}
    imported = import_folder(corpus, claim(adapter, base_model=place))
    assert artifact.verify(imported.folder)["base_model"]["revision"] == "a" * 64


def test_a_folder_with_a_card_of_its_own_comes_back_after_its_export(adapter, base, corpus, tmp_path):
    (adapter / "README.md").write_text("A card by peft.")
    export_folder(import_folder(corpus, adapter), tmp_path / "out")
    assert import_folder(corpus, tmp_path / "out").number == 2


def test_a_plain_peft_folder_whose_base_is_not_on_this_machine_is_refused(adapter, corpus):
    config = json.loads((adapter / "adapter_config.json").read_text())
    named = config | {"base_model_name_or_path": "Qwen/Qwen2.5-0.5B-Instruct"}
    (adapter / "adapter_config.json").write_text(json.dumps(named))
    with pytest.raises(FolderRefused, match="has none with a chat template on this machine"):
        import_folder(corpus, adapter)
    assert not corpus.versions.exists()


@pytest.mark.parametrize("lost", ["tokenizer.json", "adapter_model.safetensors"])
def test_what_cannot_be_loaded_is_told_in_words(adapter, base, corpus, lost):
    whole = memory_for(import_folder(corpus, adapter))
    before = whole.answer(TEXTS)
    imported = import_folder(corpus, adapter)
    kept = artifact.verify(imported.folder)
    (imported.folder / lost).write_text("{}")
    sha256 = artifact.complete(imported.folder, kept)["sha256"]
    MemoryVersion.objects.filter(pk=imported.pk).update(sha256=sha256)
    with pytest.raises(MemoError) as told:
        memory_for(MemoryVersion.objects.get(pk=imported.pk))
    assert isinstance(told.value, BadArtifact)
    another = memory_for(import_folder(corpus, adapter))  # on the base that all three share
    assert another.answer(TEXTS) == before


# --- Models from elsewhere -------------------------------------------------------------------------------------
@pytest.fixture
def foreign(corpus: Corpus, tmp_path: Path) -> MemoryVersion:
    folder = save_qwen2(tmp_path / "whole", TEXTS)
    AutoModelForCausalLM.from_pretrained(folder).to(torch.bfloat16).save_pretrained(folder)
    return import_folder(corpus, folder)


def test_a_model_from_elsewhere_is_continued_as_a_pretrained_one_at_half_the_rate(foreign):
    manifest = artifact.verify(foreign.folder)
    assert manifest["base_model"]["source"] == "imported"
    assert not artifact.is_from_scratch(manifest)
    values, full = Continued(foreign).values, recipe_values("full")
    assert values["learning_rate"] == CONTINUED_RATE * full["learning_rate"]
    assert values["schedule"] == full["schedule"]


def test_what_continues_a_model_from_elsewhere_names_it_as_its_base(foreign):
    config = EngineConfig(init=str(foreign.folder), bpe_dropout=0.0)
    start = open_model(Encoder(open_tokenizer([], config)), config, 64, torch.device("cpu"))
    assert (start.origin.source, start.origin.label) == ("imported", "Qwen2ForCausalLM")


@pytest.mark.parametrize("manifest", [{}, {"method": "imported"}, {"method": "ties", "base_model": {}}])
def test_an_origin_that_is_not_told_is_unknown(manifest):
    assert artifact.source_of(manifest) == "unknown"
