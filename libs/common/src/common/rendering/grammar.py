"""What a template may contain, and how often it may loop.

Templates come from outside. The sandbox keeps them away from Python's inside; this keeps them cheap: without
assignments, macros, calls and powers the work a template can cause is bounded by its length, its values and
`MOST_ITERATIONS`.
"""

from collections.abc import Iterable, Iterator

from jinja2 import nodes, pass_context
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer

from common.rendering.failures import Unrenderable

MOST_ITERATIONS = 500
"""Steps all loops of one rendering may take together."""
BUDGET = "__iterations__"

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.Filter, nodes.Test, nodes.Tuple, nodes.List,
)  # fmt: skip


class _CountedLoops(NodeTransformer):
    """Every loop runs over `… | <counted>`, which keeps the budget."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - the visitor looks it up by this name
        if node.recursive:
            raise Unrenderable(f"line {node.lineno}: a loop cannot be recursive")
        node.iter = nodes.Filter(node.iter, "counted", [], [], None, None, lineno=node.lineno)
        self.generic_visit(node)
        return node


class Budget:
    """How many iterations are left to one rendering."""

    def __init__(self, left: int = MOST_ITERATIONS) -> None:
        self.left = left

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unrenderable(f"its loops take more than {MOST_ITERATIONS} steps")


@pass_context
def counted(context: Context, iterable: Iterable[object]) -> Iterator[object]:
    """The filter every loop is given."""
    budget: Budget = context.parent[BUDGET]
    for item in iterable:
        budget.spend()
        yield item


def bounded(template: nodes.Template) -> nodes.Template:
    """The same template with counted loops; raises `Unrenderable` naming the line of what it may not contain."""
    for node in template.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            line = getattr(node, "lineno", 1)
            raise Unrenderable(f"line {line}: `{what}` is not allowed; use values, filters, if and for")
        if isinstance(node, nodes.Filter) and node.name == "counted":
            raise Unrenderable(f"line {node.lineno}: no filter named 'counted'")
    counted_template: nodes.Template = _CountedLoops().visit(template)
    return counted_template
