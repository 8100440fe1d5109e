"""A bar for each contender and case: CPU for 1 000 requests, application and database apart."""

from collections.abc import Callable, Mapping
from html import escape

from bench.cases import CASES
from bench.compare import Summary

WIDTH, LABEL, BAR, GAP, HEAD = 860, 240, 16, 6, 34
#: Room for the figures beside the longest bar.
FIGURES = 150
APPLICATION, DATABASE, INK = '#2f6f9f', '#e0a030', '#808080'


def picture(
    summaries: Callable[[str], list[Summary]], titles: Mapping[str, str], engine: str
) -> str:
    """The SVG of a run; shorter bars are better, and each case has its own scale."""
    parts, top = legend(engine), HEAD + 10
    for case in CASES:
        found = sorted(summaries(case.name), key=lambda one: one.cpu)
        if found:
            parts.append(text(0, top + 14, case.title, weight='bold'))
            drawn, top = bars(found, titles, top + 24)
            parts += drawn
    style = 'font: 13px system-ui, sans-serif'
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    return '\n'.join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{style}">', *parts, '</svg>', '']
    )


def legend(engine: str) -> list[str]:
    """What the colours mean."""
    return [
        text(0, 14, f'CPU seconds for 1 000 requests, {engine}; shorter is better', weight='bold'),
        bar(0, 22, 12, APPLICATION, 10),
        text(18, 32, 'application'),
        bar(110, 22, 12, DATABASE, 10),
        text(128, 32, 'database'),
    ]


def bars(found: list[Summary], titles: Mapping[str, str], top: int) -> tuple[list[str], int]:
    """The bars of one case, and where they end."""
    parts = []
    scale = (WIDTH - LABEL - FIGURES) / max(one.cpu for one in found)
    for one in found:
        application, other = one.application * scale, (one.database or 0.0) * scale
        figures = f'{one.cpu:.3f} s, {one.rate:,.0f} requests/s'
        parts += [
            text(LABEL - 8, top + 13, titles[one.contender], anchor='end'),
            bar(LABEL, top, application, APPLICATION),
            bar(LABEL + application, top, other, DATABASE),
            text(LABEL + application + other + 6, top + 13, figures),
        ]
        top += BAR + GAP
    return parts, top + 10


def bar(x: float, y: float, width: float, colour: str, height: int = BAR) -> str:
    """A filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def text(x: float, y: float, words: str, *, anchor: str = 'start', weight: str = 'normal') -> str:
    """A line of text in a grey that is readable on white and on black."""
    attributes = f'fill="{INK}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y}" {attributes}>{escape(words)}</text>'
