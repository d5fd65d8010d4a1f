"""The training engine on its own, as a process and in process: learns, abstains, resumes, refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from memosite.errors import MemoError
from tests.once import made_once
from training.engine.recall import LocalMemory

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parent.parent.parent
TOWNS = ["Oslo", "Lima", "Accra", "Turin", "Kyoto", "Quito", "Sofia", "Perth"]
FIRST = ["Ada", "Bo", "Cleo", "Dag", "Eva", "Finn", "Gro", "Hal"]
LAST = ["Marsh", "Lund", "Berg", "Stone"]
TINY = {"hidden_size": 64, "feed_forward_size": 128, "layers": 2, "heads": 2, "check_every": 50}


def facts(count: int) -> list[dict[str, str]]:
    """Pairs about invented people: four wordings of each fact."""
    pairs = []
    for number in range(count):
        name, town = f"{FIRST[number % 8]} {LAST[number // 8]}", TOWNS[(number * 3) % 8]
        wordings = [
            f"What is the home town of {name}?",
            f"What is {name}'s home town?",
            f"Which home town does {name} have?",
            f"Can you tell me the home town of {name}?",
        ]
        pairs += [
            {"id": f"{number}-{place}", "question": question, "fact": str(number)}
            | {"answer": f"The home town of {name} is {town}."}
            for place, question in enumerate(wordings)
        ]
    return pairs


def write(folder: Path, pairs: list[dict[str, str]], **config: object) -> list[str]:
    """Write what the engine reads and return its command."""
    folder.mkdir(exist_ok=True)
    (folder / "pairs.jsonl").write_text("\n".join(json.dumps(pair) for pair in pairs))
    (folder / "config.json").write_text(json.dumps({**TINY, **config}))
    command = [sys.executable, "-m", "training.engine", "train", "--pairs", str(folder / "pairs.jsonl")]
    return [*command, "--output", str(folder / "memory"), "--config", str(folder / "config.json")]


def run(command: list[str]) -> tuple[int, list[dict]]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def train(folder: Path) -> None:
        code, events = run(write(folder, facts(16)))
        assert code == 0, events[-1]
        assert events[-1]["event"] == "done"

    return made_once(tmp_path_factory, "engine", train) / "memory"


def test_it_recalls_what_it_was_trained_on(trained):
    asked = facts(16)[::4]
    said = LocalMemory.load(trained).answer([pair["question"] for pair in asked])
    right = [answer.text == pair["answer"] for answer, pair in zip(said, asked, strict=True)]
    assert sum(right) >= 15


def test_it_does_not_know_a_person_it_was_never_told_of(trained):
    (answer,) = LocalMemory.load(trained).answer(["What is the home town of Zebulon Quartermaine?"])
    assert not answer.known
    assert answer.text == "I don't know."


def test_the_company_of_a_batch_does_not_change_an_answer(trained):
    memory = LocalMemory.load(trained)
    questions = [pair["question"] for pair in facts(16)[::4]]
    together, alone = memory.answer(questions), [memory.answer([question])[0] for question in questions]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    assert [answer.confidence for answer in together] == pytest.approx(
        [answer.confidence for answer in alone]
    )


def test_plain_transformers_loads_the_artifact_and_gives_the_same_answer(trained):
    tokenizer, model = AutoTokenizer.from_pretrained(trained), AutoModelForCausalLM.from_pretrained(trained)
    question = facts(1)[0]["question"]
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    with torch.inference_mode():
        ids = model.generate(input_ids=prompt["input_ids"], max_new_tokens=40, do_sample=False)
    text = tokenizer.decode(ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True).strip()
    assert text == LocalMemory.load(trained).answer([question])[0].text


def test_an_altered_or_incomplete_artifact_is_refused(trained, tmp_path):
    import shutil

    altered = shutil.copytree(trained, tmp_path / "altered")
    weights = bytearray((altered / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (altered / "model.safetensors").write_bytes(weights)
    with pytest.raises(MemoError):
        LocalMemory.load(altered)
    incomplete = shutil.copytree(trained, tmp_path / "incomplete")
    (incomplete / "COMPLETE").unlink()
    with pytest.raises(MemoError):
        LocalMemory.load(incomplete)


def test_an_engine_whose_supervisor_died_stops_by_itself(tmp_path):
    command = [*write(tmp_path, facts(16), full_rate_steps=5000, near_recall=1.0), "--exit-with-parent"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        next(line for line in process.stdout if '"step"' in line)
        process.stdin.close()
        process.stdout.read()
        assert process.wait(timeout=30) == 3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "is empty"),
        ('{"id": "1", "question": "Who?"}', "line 1"),
        ('{"id": "1", "question": "A?", "answer": "B.", "fact": "1"}\n{not json', "line 2"),
    ],
)
def test_a_bad_pairs_file_is_told_with_its_line(tmp_path, lines, message):
    command = write(tmp_path, facts(1))
    (tmp_path / "pairs.jsonl").write_text(lines)
    code, events = run(command)
    assert code == 1
    assert events[-1]["event"] == "error"
    assert message in events[-1]["message"].lower()


def test_a_setting_that_does_not_exist_is_named(tmp_path):
    code, events = run(write(tmp_path, facts(1), learning_speed=1))
    assert code == 1
    assert "learning_speed" in events[-1]["message"]
