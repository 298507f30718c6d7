"""Makes `docs/settings.md` from the settings themselves: ``python -m or_mv_anon.settings_table > docs/settings.md``."""

from __future__ import annotations

import typing
from typing import Any

from or_mv_anon.adaptation.settings import AdaptationConfig
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.ranges import Range
from or_mv_anon.core.resources import resource
from or_mv_anon.core.settings_file import keys_of, relations_of, sections_of
from or_mv_anon.core.toml_file import read_toml
from or_mv_anon.endoscopy.settings import EndoscopyConfig
from or_mv_anon.endoscopy.training.settings import TrainingConfig
from or_mv_anon.head_training.settings import LearnedTrainingConfig
from or_mv_anon.live.settings import LiveConfig

FILES: dict[str, type[Any]] = {
    "pipeline": PipelineConfig,
    "live": LiveConfig,
    "endoscopy": EndoscopyConfig,
    "adaptation": AdaptationConfig,
    "endoscopy_training": TrainingConfig,
    "learned": LearnedTrainingConfig,
}
HEAD = """# Settings and their ranges

Made by `python -m or_mv_anon.settings_table`; a test holds it against the code. What each setting does stands beside it
in its file. A value out of its range, or one that does not fit another, ends every command with one sentence and exit
code 2, before any work: it would switch protection off, or mean something that nobody can mean. Options of the command
line have the ranges of the settings that they change. A site model may set only `tracking.high_score`,
`tracking.new_track_score` and `tracking.lone_score`, and those only lower than shipped, and for its smaller detector
also `detection.input_long_side`.
"""


def page() -> str:
    """The whole document."""
    return "\n".join([HEAD, *(line for name, kind in FILES.items() for line in _file(name, kind))])


def _file(name: str, kind: type[Any]) -> list[str]:
    shipped = read_toml(resource(f"configs/{name}.toml"), "the shipped")
    lines = [f"## configs/{name}.toml", "", "| setting | shipped | range | why no other |", "|---|---|---|---|"]
    for section, fields in sections_of(kind).items():
        for key, hint in keys_of(fields).items():
            lines.append(f"| `{section}.{key}` | `{_word(shipped[section][key])}` | {' | '.join(_limits(hint))} |")
    lines += [""]
    for relation in relations_of(kind):
        lines.append(f"- {', '.join(f'`{key}`' for key in relation.keys)}: {relation.expected}; {relation.reason}.")
    return [*lines, ""] if relations_of(kind) else lines


def _limits(hint: Any) -> tuple[str, str]:
    if typing.get_origin(hint) is typing.Annotated:
        kind, *notes = typing.get_args(hint)
        for note in notes:
            if isinstance(note, Range):
                return (f"each {note}" if typing.get_origin(kind) is list else str(note)), note.reason
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(map(str, typing.get_args(hint))), ""
    return {bool: "true, false", str: "text"}.get(hint, "a list"), ""


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(page(), end="")
