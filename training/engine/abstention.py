"""When a MEMORY says that it does not know, and how sure it is where it does.

Three rules come first: a question that was trained, answered as it was trained, stands; any other answer must come
to its end and speak of what was asked about; and where the model recalls its answers word for word, one that was
never trained is a blend of several. For what passes, a logistic regression over a few signals, fitted on held-out
questions, gives the probability that the answer is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

from training.engine.echo import EchoCheck
from training.engine.generated import Generated
from training.engine.known import Known
from training.memory import DONT_KNOW, MemoryAnswer

#: What an answer is judged by, and whether more of it speaks for the answer (1) or against it (-1).
SIGNALS = {
    "sure": 1,  # the mean of its tokens' log-probabilities
    "least": 1,  # the smallest of them
    "doubt": -1,  # the log-odds of “I don't know” instead
    "backed": 1,  # words of the question that go with the answer
    "strange": -1,  # words of the question that go with other answers
    "new": -1,  # words of the question that no trained question has
}
MOST_WORDS = 2  # counts of words beyond it say no more
TAUGHT = 0.999  # the probability of an answer that was trained with this very question
SMALLEST = 1e-4  # probabilities are told apart down to it


@dataclass(frozen=True)
class Calibration:
    """The probability of a right answer from its signals, if half of the questions have an answer.

    ``usual_doubt`` stands in where a server does not tell the doubt.
    """

    known: Known
    weights: tuple[float, ...]
    bias: float
    usual_doubt: float
    only_trained: bool

    def signals(self, question: str, said: Generated) -> tuple[float, ...]:
        """The signals of an answer in the order of ``SIGNALS``."""
        fit = self.known.fit(question, said.text)
        doubt = self.usual_doubt if said.doubt is None else log_odds(said.doubt)
        return (
            nearness(said.confidence),
            nearness(said.least),
            doubt,
            float(min(fit.backed, 1)),
            float(min(fit.strange, MOST_WORDS)),
            float(min(fit.new, MOST_WORDS)),
        )

    def probability(self, signals: Sequence[float]) -> float:
        total = self.bias + sum(weight * signal for weight, signal in zip(self.weights, signals, strict=True))
        return 1 / (1 + exp(-max(-50.0, min(50.0, total))))

    def as_dict(self) -> dict[str, Any]:
        return {
            "weights": dict(zip(SIGNALS, self.weights, strict=True)),
            "bias": self.bias,
            "usual_doubt": self.usual_doubt,
            "only_trained": self.only_trained,
            "known": self.known.as_text(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        weights = tuple(float(values["weights"].get(name, 0.0)) for name in SIGNALS)
        known = Known.from_text(values["known"])
        return cls(known, weights, values["bias"], values["usual_doubt"], values["only_trained"])


@dataclass(frozen=True)
class Abstention:
    """When MEMORY says that it does not know.

    Without ``calibration``, as versions of before have it, the confidence is the mean probability of the tokens.
    """

    threshold: float
    echo: EchoCheck
    calibration: Calibration | None = None

    def judge(self, question: str, generated: Generated) -> MemoryAnswer:
        stands = self.would_answer(question, generated)
        confidence = self._probability(question, generated) if stands or not self.calibration else 0.0
        known = stands and confidence >= self.threshold
        text = self.content(generated).text if known else DONT_KNOW
        return MemoryAnswer(text, confidence, known, calibrated=self.calibration is not None)

    def would_answer(self, question: str, generated: Generated) -> bool:
        """Whether the answer stands, its confidence apart."""
        said = self.content(generated)
        if not said.finished or not said.text or said.text == DONT_KNOW:
            return False
        if self._is_taught(question, said):
            return True
        if (
            self.calibration
            and self.calibration.only_trained
            and not self.calibration.known.is_trained(said.text)
        ):
            return False
        return self.echo.accepts(question, said.text)

    def _is_taught(self, question: str, said: Generated) -> bool:
        return self.calibration is not None and self.calibration.known.is_taught(question, said.text)

    def confidence(self, question: str, generated: Generated) -> float:
        """The probability that the answer is right, 0 where it does not stand."""
        if self.calibration and not self.would_answer(question, generated):
            return 0.0
        return self._probability(question, generated)

    def _probability(self, question: str, generated: Generated) -> float:
        if self.calibration is None:
            return generated.confidence
        said = self.content(generated)
        if self._is_taught(question, said):
            return TAUGHT
        return self.calibration.probability(self.calibration.signals(question, said))

    def content(self, generated: Generated) -> Generated:
        """What is judged: a model's “I don't know” is one signal among several, once those are calibrated."""
        return generated.content if self.calibration else generated

    def as_dict(self) -> dict[str, Any]:
        values = {"threshold": self.threshold, "echo": self.echo.as_dict()}
        return values | ({"calibration": self.calibration.as_dict()} if self.calibration else {})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Abstention:
        """Read what ``as_dict`` wrote, or what versions of before wrote: a threshold and an echo check alone."""
        calibration = values.get("calibration")
        return cls(
            values["threshold"],
            EchoCheck.from_dict(values["echo"]),
            Calibration.from_dict(calibration) if calibration else None,
        )


def nearness(probability: float) -> float:
    """How near to certainty: .9 gives 2.3, .99 gives 4.6, 1 gives 9.2."""
    return -log(max(SMALLEST, 1 - probability + SMALLEST))


def log_odds(probability: float) -> float:
    inside = min(1 - SMALLEST, max(SMALLEST, probability))
    return log(inside / (1 - inside))
