"""Merging in the engine: the methods on small tensors, whole merges streamed, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from peft.utils import merge_utils
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from memosite.errors import MemoError
from tests.once import made_once
from tests.training import parents as make
from tests.training.test_engine import TINY
from training.engine import artifact
from training.engine.__main__ import main
from training.engine.decode import Decoder
from training.engine.encode import Encoder
from training.engine.errors import BadBase, Interrupted
from training.engine.merge import merge_memories, plan_merge, streamed, tensors_of, write_besides
from training.engine.merge_adapters import MergedAdapter
from training.engine.merge_exam import joined
from training.engine.merge_files import OtherMerge, StreamedWeights, TensorFiles
from training.engine.merge_methods import METHODS, BadMerge, options_for, seeded
from training.engine.merge_parents import IncompatibleParents, open_parents, require_compatible
from training.engine.pairs import Pair, Split
from training.engine.recall import LocalMemory

pytestmark = pytest.mark.engine

A, B = torch.tensor([1.0, -2.0, 3.0, 0.5]), torch.tensor([-1.0, -1.0, 2.0, 4.0])


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = made_once(tmp_path_factory, "older-family", make.family)
    return folder / "start", [folder / "one", folder / "two"]


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    def train(folder: Path) -> None:
        make.adapters(folder, make.base_of(folder / "base"))

    folder = made_once(tmp_path_factory, "adapters", train)
    return [folder / "one", folder / "two"]


def combined(method: str, *tensors: torch.Tensor, **values: Any) -> torch.Tensor:
    return METHODS[method].combine(tensors, options_for(method, values, len(tensors)), "layer")


# --- The methods ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "values", "expected"),
    [
        ("linear", {}, [0.0, -1.5, 2.5, 2.25]),
        ("linear", {"weights": (3, 1)}, [0.5, -1.75, 2.75, 1.375]),
        ("task_arithmetic", {}, [0.0, -3.0, 5.0, 4.5]),
        ("ties", {"density": 0.5}, [0.0, -2.0, 2.5, 4.0]),
        ("ties", {"density": 1.0}, [1.0, -1.5, 2.5, 2.25]),
        ("dare_linear", {"density": 1.0}, [0.0, -3.0, 5.0, 4.5]),
        ("dare_ties", {"density": 1.0}, [1.0, -1.5, 2.5, 2.25]),
    ],
)
def test_a_method_gives_what_was_worked_out_by_hand(method, values, expected):
    assert combined(method, A, B, **values).tolist() == pytest.approx(expected)


def test_slerp_goes_along_the_arc_and_keeps_the_length():
    one, other = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    assert combined("slerp", one, other).tolist() == pytest.approx([2**0.5, 2**0.5])
    third = combined("slerp", one, other, weights=(2, 1))
    assert third.tolist() == pytest.approx([3**0.5, 1.0], abs=1e-6)


def test_slerp_of_parallel_and_of_empty_tensors_is_a_straight_line():
    assert combined("slerp", A, 2 * A).tolist() == pytest.approx((1.5 * A).tolist())
    assert combined("slerp", torch.zeros(4), A).tolist() == pytest.approx((A / 2).tolist())


@pytest.mark.parametrize(
    ("method", "function", "density"),
    [
        ("task_arithmetic", merge_utils.task_arithmetic, None),
        ("ties", merge_utils.ties, 0.3),
        ("dare_linear", merge_utils.dare_linear, 0.5),
        ("dare_ties", merge_utils.dare_ties, 0.5),
    ],
)
def test_a_method_is_peft_s_own_with_the_default_density_of_the_table(method, function, density):
    torch.manual_seed(3)
    tensors = [torch.randn(16, 12) for _ in range(3)]
    weights = torch.tensor([1.0, 0.5, 2.0])
    mine = combined(method, *tensors, weights=(1, 0.5, 2))
    with seeded(1, "layer"):
        theirs = function(tensors, weights, *([density] if density else []))
    assert torch.equal(mine, theirs)


def test_ties_drops_the_minority_sign():
    assert combined("ties", torch.tensor([3.0]), torch.tensor([-1.0]), density=1).tolist() == [3.0]


@pytest.mark.parametrize(
    ("method", "values"),
    [("linear", {}), ("slerp", {}), ("ties", {"density": 1.0}), ("task_arithmetic", {"weights": (0.5, 0.5)})],
)
def test_identical_parents_give_the_parent(method, values):
    assert combined(method, A, A, **values).tolist() == pytest.approx(A.tolist())


def test_what_dare_drops_depends_on_seed_and_name_alone():
    many = torch.ones(1000)
    first = combined("dare_linear", many, many, density=0.2)
    torch.manual_seed(99)
    assert torch.equal(first, combined("dare_linear", many, many, density=0.2))
    assert not torch.equal(first, combined("dare_linear", many, many, density=0.2, seed=2))
    assert set(first.tolist()) == {0.0, 5.0, 10.0}  # each that is kept is five times as large
    assert first.mean().item() == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize(
    ("method", "values", "parents", "message"),
    [
        ("average", {}, 2, "methods are linear, slerp"),
        ("linear", {}, 1, "at least two"),
        ("slerp", {}, 3, "merges 2 parents and not 3"),
        ("linear", {"density": 0.5}, 2, "takes no density"),
        ("ties", {"density": 0}, 2, "density: "),
        ("ties", {"weights": (1, 1, 1)}, 2, "2 parents and 3 weights"),
        ("linear", {"weights": (0, 0)}, 2, "not all of them are zero"),
        ("linear", {"weights": (-1, 2)}, 2, "not negative"),
        ("linear", {"weights": (float("nan"), 2)}, 2, "weights: "),
    ],
)
def test_numbers_that_make_no_sense_are_refused(method, values, parents, message):
    with pytest.raises(BadMerge, match=message):
        options_for(method, values, parents)


def test_a_memory_that_is_trained_on_keeps_its_tokenizer(family):
    start, (child, _) = family
    assert (child / "tokenizer.json").read_text() == (start / "tokenizer.json").read_text()


# --- Whole models --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", list(METHODS))
def test_streamed_weights_are_those_of_merging_whole_models_in_memory(family, tmp_path, method):
    start, children = family
    plan = plan_merge(children, method, {})
    list(streamed(plan, tmp_path / "merged", shard_bytes=40_000).write(tensors_of(plan)))
    base, one, two = (load_file(folder / "model.safetensors") for folder in (start, *children))
    files = TensorFiles(tmp_path / "merged")
    assert len(list((tmp_path / "merged").glob("model-*-of-*.safetensors"))) > 2
    assert files.infos.keys() == one.keys()
    for name, first in base.items():
        if METHODS[method].needs_base:
            task = METHODS[method].combine([one[name] - first, two[name] - first], plan.options, name)
            expected = first + plan.options.scale * task
        else:
            expected = METHODS[method].combine([one[name], two[name]], plan.options, name)
        assert torch.allclose(files.read(name), expected, atol=1e-6), name


@pytest.fixture(scope="module")
def merged(family, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("merged") / "memory"
    events = list(merge_memories(family[1], folder, "ties", {}, ["First", "Second"]))
    assert {"preparing", "merging", "calibrating", "saving"} <= {
        event.phase for event in events if event.name == "phase"
    }
    progress = [event for event in events if event.name == "progress"]
    assert progress[-1].done == progress[-1].total
    return folder, events[-1].as_dict()["manifest"]


def test_a_merged_memory_is_an_artifact_with_threshold_figures_costs_and_lineage(family, merged):
    folder, manifest = merged
    assert artifact.verify(folder) == manifest
    assert manifest["method"] == "ties"
    assert manifest["config"] == {"weights": [1.0, 1.0], "density": 0.3, "scale": 1.0}
    assert manifest["merge"]["common"] == str(family[0])
    assert [parent["name"] for parent in manifest["merge"]["parents"]] == ["First", "Second"]
    seconds = [json.loads((child / "manifest.json").read_text())["metrics"]["seconds"] for child in family[1]]
    assert manifest["merge"]["training_seconds"] == pytest.approx(sum(seconds), abs=0.1)
    for exam in manifest["merge"]["exams"]:
        for side in ("own", "merged"):
            # 4 facts of its own, and the 8 of the MEMORY that it goes on from
            assert exam[side]["trained_questions"] + exam[side]["held_out_questions"] == 48
            assert exam[side]["unknown_questions"] > 100
            assert 0 <= exam[side]["false_answer_rate"] <= 1
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    assert len(pairs) == 64
    assert "merge-state.json" not in manifest["files"]
    assert LocalMemory.load(folder).answer(["Who?"])[0].text


def test_a_merged_folder_says_the_same_in_plain_transformers(merged):
    folder, manifest = merged
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(folder).eval(),
        AutoTokenizer.from_pretrained(folder),
    )
    questions = [pair.question for pair in make.pairs(8, 10)]
    decoder = Decoder(model, Encoder(tokenizer), 64, manifest["limits"]["answer_tokens"])
    ours = LocalMemory.load(folder)._decoder.generate(questions)
    assert [one.text for one in decoder.generate(questions)] == [one.text for one in ours]
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": questions[0]}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    ids = model.generate(input_ids=prompt["input_ids"], max_new_tokens=manifest["limits"]["answer_tokens"])
    plain = tokenizer.decode(ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True).strip()
    assert plain == ours[0].text


def test_the_same_merge_again_is_done_at_once_and_another_one_is_refused(family, merged):
    again = list(merge_memories(family[1], merged[0], "ties", {}))
    assert again[-1].as_dict()["manifest"] == merged[1]
    with pytest.raises(OtherMerge, match="holds another"):
        list(merge_memories(family[1], merged[0], "linear", {}))


def test_a_stopped_merge_goes_on_behind_the_files_that_are_whole(family, tmp_path):
    plan = plan_merge(family[1], "dare_ties", {})
    at_once, in_two = (streamed(plan, tmp_path / name, shard_bytes=40_000) for name in ("one", "two"))
    list(at_once.write(tensors_of(plan)))
    for done in in_two.write(tensors_of(plan)):
        if done == in_two.total // 2:
            break
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "two").glob("*.safetensors")}
    assert kept
    list(streamed(plan, tmp_path / "two", shard_bytes=40_000).write(tensors_of(plan)))
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    for path in (tmp_path / "one").glob("*.safetensors"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_stop_is_heard_while_merging_and_another_plan_is_refused_in_its_folder(family, tmp_path):
    with pytest.raises(Interrupted):
        list(merge_memories(family[1], tmp_path / "m", "linear", {}, stop=lambda: True))
    assert not artifact.is_complete(tmp_path / "m")
    with pytest.raises(OtherMerge, match="unfinished merge"):
        list(merge_memories(family[1], tmp_path / "m", "ties", {}))


def test_a_full_disk_is_told_before_anything_is_written(family, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(MemoError, match="are free"):
        list(merge_memories(family[1], tmp_path / "m", "linear", {}))


def test_task_vectors_are_taken_against_the_base_where_no_memory_is_shared(tmp_path):
    base = make.base_of(tmp_path / "base")
    whole = {"learning_rate": 1e-3, "bpe_dropout": 0.0, "average": 0.0, "base": str(base)}
    children = [
        make.train(tmp_path / name, make.pairs(n, n + 4), 4, **whole) for name, n in (("a", 0), ("b", 4))
    ]
    assert plan_merge(children, "ties", {}).common == base
    (base / "config.json").write_text((base / "config.json").read_text() + " ")
    with pytest.raises(BadBase, match="have changed since"):
        list(merge_memories(children, tmp_path / "m", "ties", {}))


def test_an_unfinished_layout_of_weights_is_told_by_its_shards(tmp_path):
    infos = TensorFiles(make.base_of(tmp_path / "base")).infos.values()
    weights = StreamedWeights(tmp_path / "out", list(infos), {}, shard_bytes=1)
    assert len(weights._parts) == len(infos)  # a tensor larger than a file has one of its own


# --- Adapters ------------------------------------------------------------------------------------------------
def added(folder: Path, layer: str) -> torch.Tensor:
    config = json.loads((folder / "adapter_config.json").read_text())
    weights = load_file(folder / "adapter_model.safetensors")
    down, up = weights[f"{layer}.lora_A.weight"], weights[f"{layer}.lora_B.weight"]
    return config["lora_alpha"] / config["r"] * up @ down


LAYER = "base_model.model.model.layers.0.mlp.up_proj"


def write_adapter(adapters: list[Path], folder: Path, method: str) -> float:
    """Merge without asking anything; returns how much the rank could hold."""
    plan = plan_merge(adapters, method, {})
    adapter = MergedAdapter(plan.parents, method, plan.options)
    list(streamed(plan, folder, adapter).write(tensors_of(plan, adapter)))
    write_besides(plan, folder, adapter)
    return adapter.kept


@pytest.mark.parametrize(("method", "share"), [("linear", 0.5), ("task_arithmetic", 1.0)])
def test_sums_of_adapters_of_other_ranks_are_exact(adapters, tmp_path, method, share):
    assert write_adapter(adapters, tmp_path, method) == 1
    expected = sum(share * added(folder, LAYER) for folder in adapters)
    assert torch.allclose(added(tmp_path, LAYER), expected, atol=1e-6)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == 10
    model = AutoPeftModelForCausalLM.from_pretrained(tmp_path).merge_and_unload()
    base = load_file(make_base(adapters) / "model.safetensors")["model.layers.0.mlp.up_proj.weight"]
    assert torch.allclose(model.model.layers[0].mlp.up_proj.weight, base + expected, atol=1e-5)


def make_base(adapters: list[Path]) -> Path:
    return Path(json.loads((adapters[0] / "adapter_config.json").read_text())["base_model_name_or_path"])


def test_ties_of_adapters_is_ties_of_what_they_add_cut_back_to_the_rank(adapters, tmp_path):
    assert 0.5 < write_adapter(adapters, tmp_path, "ties") < 1
    exact = combined("ties", *(added(folder, LAYER) for folder in adapters))
    left, values, right = torch.linalg.svd(exact)
    best = left[:, :10] * values[:10] @ right[:10]
    assert torch.allclose(added(tmp_path, LAYER), best, atol=1e-5)


def test_merged_adapters_are_measured_and_answer(adapters, tmp_path):
    events = list(merge_memories(adapters, tmp_path / "m", "slerp", {}))
    manifest = events[-1].as_dict()["manifest"]
    assert manifest["merge"]["adapter_kept"] == pytest.approx(1, abs=1e-4)  # an arc is a sum, too
    assert manifest["base_model"]["location"] == str(make_base(adapters))
    assert len(LocalMemory.load(tmp_path / "m").answer(["Who?"])) == 1


# --- What does not fit ---------------------------------------------------------------------------------------
def altered(folder: Path, target: Path, change: Callable[[Path, dict[str, Any]], None]) -> Path:
    """A copy of a MEMORY that is another one, and whole."""
    shutil.copytree(folder, target)
    (target / artifact.MARKER).unlink()
    manifest = json.loads((target / "manifest.json").read_text())
    change(target, manifest)
    artifact.complete(
        target, {key: value for key, value in manifest.items() if key not in ("files", "sha256")}
    )
    return target


def set_json(name: str, **values: Any) -> Callable[[Path, dict[str, Any]], None]:
    def change(folder: Path, manifest: dict[str, Any]) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def set_base(**base: str) -> Callable[[Path, dict[str, Any]], None]:
    return lambda folder, manifest: manifest.update(base_model=base, base=base["location"])


def without_pairs(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "pairs.jsonl").unlink()


HUB = {"source": "hub", "location": "acme/small", "revision": "1" * 40}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder, manifest: None, "are the same"),
        (
            set_json("config.json", architectures=["LlamaForCausalLM"]),
            "Qwen2ForCausalLM and .* LlamaForCausalLM",
        ),
        (set_json("config.json", hidden_size=96), "differ in hidden_size"),
        (set_json("tokenizer_config.json", chat_template="{{ messages }}"), None),
        (set_json("tokenizer.json", normalizer={"type": "NFC"}), "different tokenizers.*continue both"),
        (set_base(**HUB), "trained from small.*acme/small.*one base"),
        (without_pairs, "pairs of other are not kept"),
    ],
)
def test_parents_that_do_not_fit_are_refused_in_words(family, tmp_path, change, message):
    one = family[1][0]
    other = altered(one, tmp_path / "other", change)
    if message is None:  # the template beside the tokenizer's file counts
        (other / "chat_template.jinja").write_text("{{ messages }}")
        message = "different tokenizers"
    parents = open_parents([one, other], verified=False)
    with pytest.raises(IncompatibleParents, match=message):
        require_compatible(parents, "linear")


def test_other_revisions_of_a_base_are_refused(family, tmp_path):
    folders = [
        altered(family[1][0], tmp_path / number, set_base(**{**HUB, "revision": number * 40}))
        for number in "12"
    ]
    with pytest.raises(IncompatibleParents, match="other revisions of their base"):
        require_compatible(open_parents(folders), "linear")


def test_an_adapter_and_a_whole_model_are_refused(family, adapters):
    with pytest.raises(IncompatibleParents, match="Merge adapters with adapters"):
        require_compatible(open_parents([family[1][0], adapters[0]]), "linear")


def test_dora_is_refused(adapters, tmp_path):
    odd = altered(adapters[1], tmp_path / "odd", set_json("adapter_config.json", use_dora=True))
    with pytest.raises(IncompatibleParents, match="odd has DoRA"):
        require_compatible(open_parents([adapters[0], odd]), "linear")


def test_models_from_scratch_without_a_common_start_are_refused_where_it_is_needed(family, tmp_path):
    own = {**TINY, "check_every": 1000, "tokenizer": str(family[0])}
    folders = [
        make.train(tmp_path / name, make.pairs(n, n + 4), 2, **own) for name, n in (("a", 0), ("b", 4))
    ]
    require_compatible(open_parents(folders), "linear")
    with pytest.raises(IncompatibleParents, match="have none"):
        require_compatible(open_parents(folders), "ties")


def test_what_parents_learned_is_joined_with_each_question_once_and_ids_of_their_own():
    def pair(name: str, question: str, answer: str = "Yes.") -> Pair:
        return Pair(name, question, answer, name)

    first = Split((pair("1", "A?"), pair("2", "B?")), (pair("3", "C?"),), ())
    second = Split((pair("1", "C?"), pair("2", "a?", "No.")), (pair("9", "B?"), pair("3", "D?")), ())
    everything = joined([first, second])
    assert [(one.question, one.answer) for one in everything.trained] == [
        ("A?", "Yes."),
        ("B?", "Yes."),
        ("C?", "Yes."),
    ]
    assert [one.question for one in everything.held_out] == ["D?"]
    ids = [one.id for one in (*everything.trained, *everything.held_out)]
    assert len(set(ids)) == 4


# --- The command line ----------------------------------------------------------------------------------------
def test_score_asks_a_memory_the_pairs_of_a_file(family, merged, capsys):
    assert main(["score", "--model", str(merged[0]), "--pairs", str(family[1][0] / "pairs.jsonl")]) == 0
    assert json.loads(capsys.readouterr().out) == merged[1]["merge"]["exams"][0]["merged"]


def test_the_command_tells_a_refusal_as_an_event(family, adapters, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda number, handler: None)  # the tests' own stay
    folders = [str(family[1][0]), str(adapters[0])]
    assert main(["merge", *folders, "--output", str(tmp_path / "n"), "--method", "linear"]) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["code"]) == ("error", "incompatible_parents")
    assert (
        main(["merge", *folders, "--output", str(tmp_path / "n"), "--method", "linear", "--names", "A"]) == 1
    )
