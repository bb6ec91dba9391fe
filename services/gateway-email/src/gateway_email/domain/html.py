"""The HTML of a mail, made of its text: paragraphs, lines, links that can be tapped, and nothing else."""

import re
from html import escape

_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_AFTER_A_LINK = ".,;:!?)]}'*_"
"""What ends a sentence and not the link in it."""
_STYLE = "font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#222;max-width:40em;margin:1.5em"
_PAGE = (
    '<!doctype html>\n<html lang="id">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n</head>\n'
    f'<body style="{_STYLE}">\n%s\n</body>\n</html>\n'
)


def html_of(text: str) -> str:
    """A page that says what the text says; everything in it is escaped."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
    return _PAGE % "\n".join(f"<p>{_lines(part)}</p>" for part in paragraphs)


def _lines(paragraph: str) -> str:
    return "<br>\n".join(_linked(line) for line in paragraph.split("\n"))


def _linked(line: str) -> str:
    parts = []
    at = 0
    for found in _LINK.finditer(line):
        link = found.group().rstrip(_AFTER_A_LINK)
        parts.append(escape(line[at : found.start()]))
        parts.append(f'<a href="{escape(link)}">{escape(link)}</a>')
        at = found.start() + len(link)
    return "".join([*parts, escape(line[at:])])
