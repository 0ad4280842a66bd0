"""What may stand where the cursor is: commands, options, and the names that an option or argument can take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queuectl.commands import Spec, by_name, listed
from queuectl.commands.known_names import KnownNames
from queuectl.commands.session import Session
from queuectl.escaping import safe

if TYPE_CHECKING:
    from queuectl.commands.typing import Parameter

Words = list[str]
Source = Callable[[KnownNames], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One word, and in a few others what it means."""

    text: str
    help: str = ""


def _commands(known: KnownNames) -> list[str]:
    return ["exit-codes", *by_name()]


def _checks(known: KnownNames) -> Iterable[str]:
    from queuectl.doctor import NAMES

    return NAMES


VALUES: Mapping[str, Source] = {
    "--queue": KnownNames.queues,
    "--connection": KnownNames.connections,
    "--job": KnownNames.jobs,
    "--error": KnownNames.errors,
    "--group": KnownNames.groups,
    "--state": lambda known: ("ready", "delayed", "reserved", "parked"),
    "--only": _checks,
    "--skip": _checks,
}
"""By option; the others take what nobody can guess, or a file, which the shell completes by itself."""
ARGUMENTS: Mapping[str, Source] = {
    "CONNECTION": KnownNames.connections,
    "QUEUES": KnownNames.addresses,
    "[CONNECTION:]QUEUE": KnownNames.addresses,
    "dispatch NAME": KnownNames.jobs,
    "retry ID": lambda known: ["all", *known.failed()],
    "forget ID": lambda known: ["all", *known.failed()],
    "failed ID": KnownNames.failed,
    "failed:show ID": KnownNames.failed,
    "OPERATION": KnownNames.operations,
    "COMMAND|exit-codes": _commands,
    "bash|zsh|fish": lambda known: ("bash", "zsh", "fish"),
}
"""By what an argument is called in the help, of one command or of all."""


def candidates(session: Session, words: Words) -> Iterator[Candidate]:
    """All that may stand in place of the last word, which has been begun, after the others."""
    before, current = words[:-1], words[-1] if words else ""
    session.config_path = _named_file(before) or session.config_path
    at = _place_of_command(before)
    found = _beginning(current) if at is None else _after_command(session, before[at:], current)
    return (one for one in found if one.text.startswith(current) and safe(one.text) == one.text)


def _beginning(current: str) -> Iterator[Candidate]:
    return _global_options() if current.startswith("-") else _command_names(current)


def _after_command(session: Session, before: Words, current: str) -> Iterator[Candidate]:
    """`jobs list` is `jobs:list`: a word may be the second half of a name, or come after both halves."""
    halves = 2 if ":".join(before[:2]) in by_name() else 1
    if len(before) == 1:
        yield from _second_halves(f"{before[0]}:")
    spec = by_name().get(":".join(before[:halves]))
    if spec is not None:
        yield from _of_command(session, spec, before[halves:], current)


def _second_halves(beginning: str) -> Iterator[Candidate]:
    for name, spec in by_name().items():
        if name.startswith(beginning):
            yield Candidate(name.removeprefix(beginning), spec.help)


def _place_of_command(words: Words) -> int | None:
    """The first word that is neither an option nor an option's value."""
    for place, word in enumerate(words):
        if not word.startswith("-") and (place == 0 or words[place - 1] != "--config"):
            return place
    return None


def _named_file(words: Words) -> str:
    """What `--config` says, the last time it does."""
    for word, former in zip(reversed(words), reversed(["", *words[:-1]]), strict=False):
        if former == "--config":
            return word
        if word.startswith("--config="):
            return word.removeprefix("--config=")
    return ""


def _command_names(current: str) -> Iterator[Candidate]:
    """Each once; under its other names only for who has begun to type one of them."""
    names = [spec.name for spec in listed()]
    for name, spec in by_name().items():
        if name in names or not any(one.startswith(current) for one in names):
            yield Candidate(name, spec.help)


def _global_options() -> Iterator[Candidate]:
    from queuectl.commands.group import build

    return _options(build().params)


def _of_command(session: Session, spec: Spec, before: Words, current: str) -> Iterator[Candidate]:
    from queuectl.commands.group import load

    parameters = load(spec, spec.name).params
    values = _values(spec, parameters, before, current)
    if values is not None:
        return _completed(values(KnownNames(session.config)), current)
    return _options(parameters, given=before) if current.startswith("-") else iter(())


def _values(spec: Spec, parameters: Iterable[Parameter], before: Words, current: str) -> Source | None:
    """Where the names come from that may stand here; None if an option's own name stands here, or anything at all."""
    option, equals, _ = current.partition("=")
    if current.startswith("--") and equals:
        return VALUES.get(option, _nothing)
    if before and _takes_value(parameters, before[-1]):
        return VALUES.get(before[-1], _nothing)
    if current.startswith("-"):
        return None
    argument = _argument(parameters, before)
    return ARGUMENTS.get(f"{spec.name} {argument}") or ARGUMENTS.get(argument)


def _nothing(known: KnownNames) -> Iterable[str]:
    return ()


def _takes_value(parameters: Iterable[Parameter], word: str) -> bool:
    return any(word in one.opts and not _is_flag(one) for one in parameters if one.param_type_name == "option")


def _is_flag(option: Any) -> bool:
    return bool(option.is_flag or option.count)


def _argument(parameters: Iterable[Parameter], before: Words) -> str:
    """What the argument is called that comes after these words; the last one may be repeated."""
    arguments = [one for one in parameters if one.param_type_name == "argument" and not one.hidden]
    pairs = zip(["", *before], before, strict=False)
    given = sum(not word.startswith("-") and not _takes_value(parameters, former) for former, word in pairs)
    if given >= len(arguments):
        return arguments[-1].metavar or "" if arguments and arguments[-1].nargs == -1 else ""
    return arguments[given].metavar or ""


def _options(parameters: Iterable[Parameter], given: Iterable[str] = ()) -> Iterator[Candidate]:
    """By their long names, without those that have been given and that are given once."""
    said = {word.partition("=")[0] for word in given}
    for option in parameters:
        if option.param_type_name != "option" or option.hidden:
            continue
        if not option.multiple and said.intersection(option.opts):
            continue
        for name in (name for name in option.opts if name.startswith("--")):
            yield Candidate(name, option.help or "")
    yield Candidate("--help", "Show this message and exit.")


def _completed(names: Iterable[str], current: str) -> Iterator[Candidate]:
    """Whole words for these names: after `--queue=`, and after a comma, what stands before stays."""
    start = current.partition("=")[0] + "=" if current.startswith("--") else ""
    listed_before = current[len(start) :].rpartition(",")
    begun = f"{listed_before[0]}{listed_before[1]}"
    taken = listed_before[0].split(",")
    return (Candidate(f"{start}{begun}{name}") for name in dict.fromkeys(names) if name not in taken)
