"""Compile and render one template."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from functools import lru_cache
from itertools import groupby
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from common.catalogue.values import Known
from common.kernel.text import normalise_message, sanitise
from common.rendering.calendar import ZONE, default_zone
from common.rendering.failures import Unrenderable
from common.rendering.filters import FILTERS as OWN_FILTERS
from common.rendering.grammar import BUDGET, MOST_ITERATIONS, Budget, bounded, counted
from common.rendering.names import check_names, names_in
from common.rendering.values import Finished

MOST_SOURCE_CHARACTERS = 8_192
MOST_CHARACTERS = 4_096
"""The longest text any provider takes."""
_FILTERS = ("abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "lower", "title",
            "trim", "upper")  # fmt: skip
_TESTS = ("boolean", "defined", "divisibleby", "even", "false", "in", "integer", "none", "number", "odd", "string",
          "true", "undefined", "eq", "ne", "lt", "le", "gt", "ge")  # fmt: skip
_MARKERS = ("{{", "{%", "{#")
_BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, MemoryError, RecursionError)


class _Sandbox(ImmutableSandboxedEnvironment):
    # `"a" * 10**9` and `"%1000000000d" % 1` are arithmetic too: only numbers may take part in it.
    intercepted_binops = frozenset({"*", "/", "//", "%", "-"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise Unrenderable(f"`{operator}` works on numbers only")
        return super().call_binop(context, operator, left, right)


def _join(values: Iterable[object], separator: str = "") -> str:
    pieces = [_shown(value) for value in values]
    if sum(map(len, pieces)) + len(separator) * len(pieces) > MOST_CHARACTERS:
        raise Unrenderable(f"a joined list is longer than {MOST_CHARACTERS} characters")
    return separator.join(pieces)


def _shown(value: object) -> str:
    """How a value stands in a message. What only a program would understand is refused."""
    match value:
        case Finished():
            return value
        case str():
            return sanitise(value)
        case bool() | None:
            shown = "null" if value is None else str(value).lower()
            raise Unrenderable(f"a value is {shown}; use if to say it in words")
        case int() | float():
            return str(value)
        case _ if isinstance(value, StrictUndefined):
            return str(value)  # raises UndefinedError with the name
    raise Unrenderable("a value is a list or an object; name one of its fields, or loop over it")


def _environment() -> _Sandbox:
    environment = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_shown)
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in _FILTERS} | OWN_FILTERS
    environment.filters |= {"join": _join, "counted": counted}
    environment.tests = {name: TESTS[name] for name in _TESTS}
    return environment


_ENVIRONMENT = _environment()


def check(source: str, known: Known | None = None) -> None:
    """Raise `Unrenderable`, naming the line, unless `source` is a template that may be rendered and that names nothing
    but `known` values (`None`: any).
    """
    if _is_template(source):
        _compiled(source)
        if known is not None:
            check_names(_ENVIRONMENT.parse(normalise_message(source)), known)


class Begun(str):
    """A template's source, of which everything is said already but what names one value."""

    __slots__ = ("steps", "template")
    template: Template
    steps: int


def begin(source: str, data: Mapping[str, object], *, without: str, zone: tzinfo | None = None) -> str:
    """The template for many who differ in nothing but the value `without`: all that does not name it is rendered here.

    Where that cannot be it is the template as it was; rendering it says why.
    """
    budget = Budget()
    hidden = {BUDGET: budget, ZONE: zone or default_zone()}
    body: list[nodes.Node] = []
    try:
        if not _is_template(source):
            return source
        for own, parts in groupby(_parts(_parsed(source)), lambda part: without in {n.name for n in names_in(part)}):
            if own:
                body += parts
            else:
                said = _measured(_assembled([*parts]).generate({**data, **hidden}))
                body.append(nodes.Output([nodes.TemplateData(said)]))
        begun = Begun(source)
        begun.template, begun.steps = _assembled(body), budget.left
    except (TemplateError, SyntaxError, Unrenderable, *_BROKEN):
        return source
    return begun


def render(source: str, data: Mapping[str, object], *, zone: tzinfo | None = None) -> str:
    """The text of a template with these values, each made harmless by `common.kernel.text.sanitise`.

    Dates and times are told in `zone` (`None`: Asia/Jakarta). Raises `Unrenderable` when the template is wrong, a
    value is missing or not printable, or the text gets longer than `MOST_CHARACTERS`.
    """
    if isinstance(source, Begun):
        template, steps = source.template, source.steps
    elif _is_template(source):
        template, steps = _compiled(source), MOST_ITERATIONS
    else:
        return _measured([normalise_message(source)])
    try:
        hidden = {BUDGET: Budget(steps), ZONE: zone or default_zone()}
        return normalise_message(_measured(template.generate({**data, **hidden})))
    except UndefinedError as error:
        what = (error.message or "").replace("'dict object' has no attribute", "an object has no field")
        raise Unrenderable(f"{_line(error)}{what}; give it in data or use `| default(…)`") from error
    except TemplateError as error:
        raise Unrenderable(str(error)) from error
    except Unrenderable as error:
        raise Unrenderable(f"{_line(error)}{error}") from error
    except _BROKEN as error:
        raise Unrenderable(f"{_line(error)}cannot be rendered with this data ({type(error).__name__})") from error


def _line(error: BaseException) -> str:
    """Where in the template it happened, as Jinja's rewritten traceback knows."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""


def _is_template(source: str) -> bool:
    if len(source) > MOST_SOURCE_CHARACTERS:
        raise Unrenderable(f"longer than {MOST_SOURCE_CHARACTERS:,} characters")
    return any(marker in source for marker in _MARKERS)


def _measured(pieces: Iterable[str]) -> str:
    kept: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MOST_CHARACTERS:
            raise Unrenderable(f"the text is longer than {MOST_CHARACTERS:,} characters; shorten it")
        kept.append(piece)
    return "".join(kept)


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    try:
        return _assembled(_parsed(source).body)
    except TemplateSyntaxError as error:
        raise Unrenderable(f"line {error.lineno}: {error.message}") from error
    except (RecursionError, SyntaxError, MemoryError) as error:
        raise Unrenderable("nested too deeply") from error
    except Unrenderable:
        raise
    except _BROKEN as error:
        raise Unrenderable(f"cannot be read ({type(error).__name__})") from error


def _parsed(source: str) -> nodes.Template:
    return bounded(_ENVIRONMENT.parse(normalise_message(source)))


def _parts(template: nodes.Template) -> Iterator[nodes.Node]:
    """What follows one another in it: without assignments none of them changes what another one says."""
    for node in template.body:
        if isinstance(node, nodes.Output):
            yield from (nodes.Output([one], lineno=one.lineno) for one in node.nodes)
        else:
            yield node


def _assembled(body: list[nodes.Node]) -> Template:
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(_ENVIRONMENT)
    return Template.from_code(_ENVIRONMENT, _ENVIRONMENT.compile(tree), {})
