"""The links of a page for the contenders that have no pagination of their own."""

import re

OFFSET = re.compile(r'\boffset=\d+')


def neighbours(url: str, count: int, limit: int, offset: int) -> tuple[str | None, str | None]:
    """The next and the previous page of `url`, which names its offset."""

    def moved(start: int) -> str:
        return OFFSET.sub(f'offset={start}', url)

    following = moved(offset + limit) if offset + limit < count else None
    preceding = moved(max(0, offset - limit)) if offset > 0 else None
    return following, preceding
