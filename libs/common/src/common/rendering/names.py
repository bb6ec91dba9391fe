"""Which values a template names, so that a misspelt one is found without sending anything."""

from collections.abc import Iterator
from difflib import get_close_matches

from jinja2 import nodes

from common.catalogue.values import Known
from common.rendering.failures import Unrenderable

LOOP = "loop"


def check_names(template: nodes.Template, known: Known) -> None:
    """Raise `Unrenderable`, naming the line and what is known, for the first value that nobody gives."""
    own = {LOOP, *(name.name for loop in template.find_all(nodes.For) for name in names_in(loop.target))}
    for name in names_in(template):
        if name.ctx == "load" and name.name not in own and name.name not in known:
            raise _unknown(name.lineno, name.name, list(known))
    for row, field, line in _fields(template):
        fields = None if row in own else known.get(row)
        if fields is not None and field not in fields:
            raise _unknown(line, f"{row}.{field}", [f"{row}.{one}" for one in sorted(fields)])


def names_in(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def _fields(template: nodes.Template) -> Iterator[tuple[str, str, int]]:
    for attribute in template.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name):
            yield attribute.node.name, attribute.attr, attribute.lineno
    for item in template.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and isinstance(item.arg, nodes.Const):
            yield item.node.name, str(item.arg.value), item.lineno


def _unknown(line: int, name: str, known: list[str]) -> Unrenderable:
    close = get_close_matches(name, known, 1)
    advice = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return Unrenderable(f"line {line}: nobody gives a value {ascii(name)[1:-1][:80]}; {advice}")
