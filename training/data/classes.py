"""What the classes of a source are called here. The order of the labels follows from names, never from positions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError
from training.data.options import LoaderOptions

DROPPED = -2
"""Index of the classes that are left out."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "anger": "angry",
        "disgusted": "disgust",
        "fearful": "fear",
        "happiness": "happy",
        "sadness": "sad",
        "surprised": "surprise",
    }
)
"""Other words for FER2013's classes that usual data sets name their folders with."""

NO_PRESET: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Classes:
    """The answer.

    Attributes:
        names: label names, in the order of the labels.
        index: label of each class of the source, or `DROPPED`.
    """

    names: tuple[str, ...]
    index: Mapping[str, int]


def resolve(
    sources: Iterable[str], where: str, options: LoaderOptions, preset: Mapping[str, str] = NO_PRESET
) -> Classes:
    """Name the classes of a source.

    A class is looked up in `options.classes` by its own name, by the preset's name for it, and by FER2013's word for
    that, whatever the case; one that is not there keeps its name.

    Args:
        sources: the classes as the source has them: folder names, or numbers as text.
        where: the source, for messages.
        options: class map and order.
        preset: what a known data set's numbers mean.

    Raises:
        ConfigError: a class is unknown, or the map names a class that does not occur.
    """
    found = tuple(dict.fromkeys(sources))
    wishes = {key.strip().casefold(): value.strip() for key, value in options.classes.items()}
    used: set[str] = set()
    targets: dict[str, str] = {}
    for source in found:
        called = preset.get(source, source)
        usual = _usual(called)
        wish = next((name for name in (source.casefold(), called.casefold(), usual) if name in wishes), None)
        known = _known(options, preset, wishes.values())
        if wish is not None:
            used.add(wish)
        target = wishes[wish] if wish is not None else called
        if not target:
            targets[source] = ""
            continue
        name = known.get(target.casefold()) or known.get(_usual(target))
        if name is None:
            raise ConfigError(
                f"{where}: class {source!r}" + (f" ({target!r})" if target != source else "") + "; expected one of "
                f"{', '.join(dict.fromkeys(known.values()))}: name it in the options, as "
                f'classes = {{"{source}" = "happy"}} ("" leaves it out), or in labels = [...]'
            )
        targets[source] = name
    # a number or word of the preset that this copy of the data lacks is no mistake
    meant = {word.casefold() for pair in preset.items() for word in pair} | {_usual(word) for word in preset.values()}
    unused = sorted(set(wishes) - used - meant)
    if unused:
        raise ConfigError(
            f"{where}: classes names {', '.join(map(repr, unused))}; expected classes of the source, which are "
            f"{', '.join(found)}"
        )
    names = options.labels or _ordered(name for name in targets.values() if name)
    if len(names) < 2:
        raise ConfigError(f"{where}: the classes {', '.join(names) or '(none)'} are left; expected two at least")
    return Classes(names, {source: names.index(name) if name else DROPPED for source, name in targets.items()})


def _usual(name: str) -> str:
    folded = name.strip().casefold()
    return ALIASES.get(folded, folded)


def _known(options: LoaderOptions, preset: Mapping[str, str], wished: Iterable[str]) -> dict[str, str]:
    """Label names by their folded form."""
    if options.labels:
        return {name.casefold(): name for name in options.labels}
    return {name.casefold(): name for name in (*FER2013_LABELS, *preset.values(), *wished) if name}


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    occurring = set(names)
    own = tuple(name for name in FER2013_LABELS if name in occurring)
    return (*own, *sorted(occurring - set(own)))
