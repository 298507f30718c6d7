"""HTML building blocks that escape everything by default; camera and file names come from users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


class Html(str):
    """Text that is markup already and must not be escaped again."""


def markup(value: Any) -> Html:
    """`value` as markup: `Html` unchanged, everything else escaped, None as a dash."""
    if isinstance(value, Html):
        return value
    return Html(escape(DASH if value is None else str(value)))


def tag(name: str, *content: Any, css: str = "") -> Html:
    """An element around `content`."""
    attribute = f' class="{escape(css)}"' if css else ""
    return Html(f"<{name}{attribute}>{joined(content)}</{name}>")


def joined(parts: Iterable[Any]) -> Html:
    """All parts, one after another."""
    return Html("".join(markup(part) for part in parts))


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: str = "", empty: str) -> Html:
    """A table that turns into cards on a narrow screen.

    Args:
        heads: column titles; a column whose title stands in `numbers` (separated by ``|``) is aligned right.
        rows: one value per column.
        numbers: titles of the columns that hold numbers.
        empty: sentence shown when there are no rows.
    """
    right = set(numbers.split("|"))
    body = "".join(
        "<tr>" + "".join(_cell(head, value, head in right) for head, value in zip(heads, row, strict=True)) + "</tr>"
        for row in rows
    )
    if not body:
        return tag("p", empty, css="empty")
    top = "".join(f'<th scope="col"{_css(head in right)}>{escape(head)}</th>' for head in heads)
    return Html(f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>')


def section(title: str, *content: Any, note: str = "") -> Html:
    """A titled section with an optional sentence of explanation under the title."""
    lead = tag("p", note, css="note") if note else Html("")
    return tag("section", tag("h2", title), lead, *content)


def fingerprint(sha256: str) -> Html:
    """A hash in full, that may break over lines."""
    return tag("code", sha256 or DASH, css="hash")


def _cell(head: str, value: Any, number: bool) -> str:
    return f'<td data-label="{escape(head)}"{_css(number)}><div>{markup(value)}</div></td>'


def _css(number: bool) -> str:
    return ' class="number"' if number else ""
