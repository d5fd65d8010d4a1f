"""A training's course as the points of a small line chart, drawn by a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.figures import percent

WIDTH, HEIGHT = 480, 150  # of the plot itself, in units of the drawing
RECALLS = {"recall": "recall", "held_out_recall": "held out", "reworded_recall": "in other forms"}
Point = Mapping[str, float]


@dataclass(frozen=True)
class Chart:
    """Polyline points for loss and each recall in a plot of ``WIDTH`` by ``HEIGHT``, and what its axes say.

    Loss is drawn from 0 to ``most_loss``, recall from 0 to 1, both upwards.
    """

    loss: str
    recall: str
    held_out: str
    reworded: str
    most_loss: float
    last_step: int
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(curve: Sequence[Point], steps: int = 0) -> Chart | None:
    """The chart of a training's points ``{step, loss}`` with any of ``RECALLS``; all but step may be missing.

    ``steps`` is how many there will be in the end. None while there are fewer than two points to connect.
    """
    reached = max((point["step"] for point in curve), default=0)
    steps = max(steps, int(reached))
    losses = [point["loss"] for point in curve if "loss" in point]
    if len(curve) < 2 or not steps or not losses:
        return None
    most = max(losses) or 1.0
    return Chart(
        loss=_polyline(curve, "loss", steps, most),
        recall=_polyline(curve, "recall", steps, 1.0),
        held_out=_polyline(curve, "held_out_recall", steps, 1.0),
        reworded=_polyline(curve, "reworded_recall", steps, 1.0),
        most_loss=most,
        last_step=steps,
        summary=_summary(curve, int(reached)),
    )


def _polyline(curve: Sequence[Point], name: str, steps: float, most: float) -> str:
    return " ".join(
        f"{WIDTH * point['step'] / steps:.1f},{HEIGHT * (1 - point[name] / most):.1f}"
        for point in curve
        if name in point
    )


def _summary(curve: Sequence[Point], steps: int) -> str:
    last = {name: value for point in curve for name, value in point.items()}
    said = [f"At step {steps:,}"]
    said += [f"loss {last['loss']:.3f}"] if "loss" in last else []
    said += [f"{label} {percent(last[name])}" for name, label in RECALLS.items() if name in last]
    return ", ".join(said)
