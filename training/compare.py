"""Which of two models is better, or that nothing can be said: a paired test on the same pictures."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from training.evaluate import Answers, Material, ask, load_together
from training.files import write_whole
from training.metrics import Labels
from training.reporting.style import signed

SIGNIFICANCE = 0.05
RESAMPLES = 10_000
SEED = 1


class Difference(msgspec.Struct, frozen=True):
    """A figure of both models.

    Attributes:
        a: of model A.
        b: of model B.
        difference: b - a.
        interval: 95 % bootstrap interval of the difference, pictures resampled.
    """

    a: float
    b: float
    difference: float
    interval: tuple[float, float]


class Comparison(msgspec.Struct, frozen=True):
    """Two models on the same pictures.

    Attributes:
        a: path of model A; of an ensemble's members, joined by " + ".
        b: of model B, likewise.
        a_sha256: of A's file, or of those, joined likewise.
        b_sha256: of B's.
        data_sha256: of the data.
        split: the part.
        flip: whether both were averaged with the mirrored picture.
        n: pictures.
        both_right: named rightly by both.
        only_a: by A alone.
        only_b: by B alone.
        neither: by none.
        agreement: share of the pictures that both name alike.
        p_value: McNemar's exact test, two-sided.
        accuracy: of both.
        macro_f1: of both.
        verdict: `a`, `b`, or `none`: which is better at the level `SIGNIFICANCE`.
    """

    a: str
    b: str
    a_sha256: str
    b_sha256: str
    data_sha256: str
    split: str
    flip: bool
    n: int
    both_right: int
    only_a: int
    only_b: int
    neither: int
    agreement: float
    p_value: float
    accuracy: Difference
    macro_f1: Difference
    verdict: str

    def write(self, path: Path) -> None:
        """Write it as JSON, replacing the file whole."""
        write_whole(path, msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


def sides(text: str) -> tuple[Path, ...]:
    """The files of one side of a comparison: one path, or several with a plus between, which are an ensemble.

    A file whose own name has a plus in it is found by its whole name.

    Raises:
        ConfigError: a plus with no file before or after it.
    """
    if Path(text).exists():
        return (Path(text),)
    names = text.split("+")
    if not all(name.strip() for name in names):
        raise ConfigError(f"{text!r}: expected a model file, or several with + between, as a.keras+b.tflite")
    return tuple(Path(name.strip()) for name in names)


def compare(a: Sequence[Path], b: Sequence[Path], material: Material, flip: bool = False) -> Comparison:
    """Ask both models about the same pictures and weigh the answers against each other.

    Args:
        a: the files of model A; several are an ensemble.
        b: of model B, likewise.
        material: what to ask about.
        flip: average with the mirrored picture.

    Raises:
        ConfigError: a model is missing or knows other classes than the data.
        PermanentError: a file is not a model.
    """
    predictors = [load_together(models) for models in (a, b)]  # a missing file is found before all the work
    return weigh(*(ask(models, each, material, flip) for models, each in zip((a, b), predictors, strict=True)))


def weigh(a: Answers, b: Answers) -> Comparison:
    """Compare two models' answers about the same pictures."""
    part = a.material.part
    named = [answers.probabilities.argmax(axis=1) for answers in (a, b)]
    right_a, right_b = (each == part.labels for each in named)
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p_value = mcnemar(only_a, only_b)
    accuracy, macro_f1 = _differences(part.labels, *named, len(part.label_names))
    better = "b" if only_b > only_a else "a"
    return Comparison(
        a=a.name,
        b=b.name,
        a_sha256=a.sha256,
        b_sha256=b.sha256,
        data_sha256=a.material.sha256,
        split=a.material.split,
        flip=a.flip,
        n=len(part),
        both_right=int((right_a & right_b).sum()),
        only_a=only_a,
        only_b=only_b,
        neither=int((~right_a & ~right_b).sum()),
        agreement=float((named[0] == named[1]).mean()),
        p_value=p_value,
        accuracy=accuracy,
        macro_f1=macro_f1,
        verdict=better if p_value < SIGNIFICANCE else "none",
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """p of McNemar's exact two-sided test (McNemar 1947): were both as good, each disagreement were a coin's toss."""
    from scipy.stats import binomtest  # noqa: PLC0415

    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


def _differences(labels: Labels, a: Labels, b: Labels, classes: int) -> tuple[Difference, Difference]:
    """Accuracy and macro-F1 of both with bootstrap intervals.

    Both depend on how many pictures have each (truth, A's name, B's name) alone, so that drawing these counts from a
    multinomial is the same as drawing pictures with replacement, and cheaper.
    """
    cells = np.ravel_multi_index((labels, a, b), (classes,) * 3)
    counts = np.bincount(cells, minlength=classes**3)
    drawn = np.random.default_rng(SEED).multinomial(len(labels), counts / len(labels), RESAMPLES)
    found, resampled = (_figures(each.reshape(-1, *(classes,) * 3)) for each in (counts[None], drawn))
    results = []
    for figure in (0, 1):
        gaps = resampled[1][figure] - resampled[0][figure]
        low, high = np.quantile(gaps, (0.025, 0.975)).tolist()
        one, other = float(found[0][figure][0]), float(found[1][figure][0])
        results.append(Difference(one, other, other - one, (low, high)))
    return results[0], results[1]


def _figures(counts: NDArray[np.int64]) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """For A and for B: (accuracy, macro-F1), each (R,), from counts (R, truth, A's name, B's name)."""
    return tuple(_accuracy_and_f1(counts.sum(axis=axis)) for axis in (3, 2))


def _accuracy_and_f1(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    # F1 = 2 TP / (true + named); a class that neither occurs nor is named has 0, as in scikit-learn
    total = confusion.sum(axis=1) + confusion.sum(axis=2)
    f1 = np.divide(2.0 * hits, total, out=np.zeros(hits.shape), where=total > 0)
    return hits.sum(axis=1) / confusion.sum(axis=(1, 2)), f1.mean(axis=1)


def sentence(comparison: Comparison) -> str:
    """The verdict in words."""
    gap, (low, high) = comparison.accuracy.difference, comparison.accuracy.interval
    test = f"p = {comparison.p_value:.2g} (McNemar, exact)"
    if comparison.verdict == "none":
        return (
            f"Nothing can be said: B is at {signed(gap * 100)} points (95 % interval {signed(low * 100)} to "
            f"{signed(high * 100)}), {test}; {comparison.n} pictures do not tell them apart."
        )
    return f"{comparison.verdict.upper()} is better, by {abs(gap) * 100:.1f} points of accuracy, {test}."


def table(comparison: Comparison) -> str:
    """The comparison for people."""
    lines = [
        f"A  {comparison.a}",
        f"B  {comparison.b}",
        f"on {comparison.split}, {comparison.n} pictures"
        + (", averaged with the mirror image" if comparison.flip else ""),
        "",
        f"{'':9} {'A':>8} {'B':>8} {'B − A':>8}   95 % interval",
    ]
    for name, each in (("accuracy", comparison.accuracy), ("macro-F1", comparison.macro_f1)):
        low, high = each.interval
        lines.append(f"{name:9} {each.a:8.4f} {each.b:8.4f} {each.difference:+8.4f}   {low:+.4f} to {high:+.4f}")
    lines += [
        "",
        f"right: both {comparison.both_right}, only A {comparison.only_a}, only B {comparison.only_b}, "
        f"neither {comparison.neither}; named alike {comparison.agreement:.1%}",
        "",
        sentence(comparison),
    ]
    return "\n".join(lines)
