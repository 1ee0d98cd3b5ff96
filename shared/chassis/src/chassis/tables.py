"""What do the rules say, for somebody who does not program? A decider's match table, printed as a Markdown table.

The words are the code's own: the docstrings of commands, situations and conditions, the reasons of refusals, and the
comment beside an empty answer. A README that holds the table is compared with what is printed here, so it cannot lie.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args, get_type_hints

from chassis.decider import Refused

HEAD = "| When somebody wants to | and there is | if | then |\n|---|---|---|---|\n"


class NotATable(TypeError):
    """`decide` is not one `match command, situation` that this module can print. Says where."""


def decision_table(decide: Callable[..., Any]) -> str:
    """The cases of `decide` in their order; the first that fits holds. Raises NotATable."""
    source = textwrap.dedent(inspect.getsource(decide))
    reader = _Reader(source.splitlines(), inspect.unwrap(decide).__globals__)
    return HEAD + "".join(f"| {' | '.join(reader.row(case))} |\n" for case in _cases(source))


def _cases(source: str) -> Iterator[ast.match_case]:
    """Every case but the last, which only shows the type checker that none is missing."""
    matches = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Match)]
    if len(matches) != 1:
        raise NotATable(f"decide has {len(matches)} match statements; it must have one.")
    for case in matches[0].cases:
        if not (isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None):
            yield case


class _Reader:
    """Turns the parts of a case into words, looking names up where the table's own module would."""

    def __init__(self, lines: Sequence[str], names: dict[str, Any]) -> None:
        self._lines, self._names = lines, names

    def row(self, case: ast.match_case) -> tuple[str, str, str, str]:
        if not isinstance(case.pattern, ast.MatchSequence) or len(case.pattern.patterns) != 2:
            raise NotATable(f"line {case.pattern.lineno}: a case must be `Command(), Situation()`.")
        command, situation = (self._either(p) for p in case.pattern.patterns)
        return command, situation, self._condition(case.guard), self._outcome(case.body)

    def _either(self, pattern: ast.pattern) -> str:
        match pattern:
            case ast.MatchOr(patterns=several):
                return "; ".join(self._either(p) for p in several)
            case ast.MatchClass(cls=ast.Name(id=name)):
                return self._words(name)
            case ast.MatchAs(pattern=ast.pattern() as inner):
                return self._either(inner)
            case _:
                raise NotATable(f"line {pattern.lineno}: name a class, or several with `|`.")

    def _words(self, name: str) -> str:
        doc = (inspect.getdoc(self._names[name]) or "").partition("\n")[0]
        if not doc or doc.startswith(f"{name}("):
            raise NotATable(f"{name} needs a docstring that says in plain words what it is.")
        return doc

    def _condition(self, guard: ast.expr | None) -> str:
        match guard:
            case None:
                return ""
            case ast.UnaryOp(op=ast.Not(), operand=ast.Call() as asked):
                return f"not: {self._condition(asked)}"
            case ast.BoolOp(op=op, values=values):
                word = " and " if isinstance(op, ast.And) else " or "
                return word.join(self._condition(v) for v in values)
            case ast.Call(func=ast.Name(id=name)):
                return self._words(name)
            case _:
                raise NotATable(f"line {guard.lineno}: a condition must be a named function that says what it means.")

    def _outcome(self, body: Sequence[ast.stmt]) -> str:
        match body:
            case [ast.Raise(exc=ast.Name(id=name))]:
                return f"refused: {self._names[name].reason}"
            case [ast.Return(value=ast.List(elts=[])) as nothing]:
                comment = self._lines[nothing.lineno - 1].partition("#")[2].strip()
                return f"nothing new: {comment}" if comment else "nothing new"
            case [ast.Return(value=ast.List(elts=facts))]:
                return "; ".join(self._fact(f) for f in facts)
            case _:
                raise NotATable(f"line {body[0].lineno}: a case must return a list of facts or raise a refusal.")

    def _fact(self, made: ast.expr) -> str:
        many = isinstance(made, ast.Starred)
        if isinstance(made, ast.Starred):
            made = made.value
        if not (isinstance(made, ast.Call) and isinstance(made.func, ast.Name)):
            raise NotATable(f"line {made.lineno}: a fact must be a record or come from a named function.")
        maker = self._names[made.func.id]
        if isinstance(maker, type):
            return f"**{maker.__name__}**"
        told: Any = get_type_hints(maker)["return"]
        fact: type = get_args(told)[0] if many else told
        unless = "".join(f" – or refused: {reason}" for reason in _refusals(maker))
        return f"{'each ' if many else ''}**{fact.__name__}**{unless}"


def _refusals(maker: Callable[..., Any], seen: frozenset[object] = frozenset()) -> Iterator[str]:
    """The reasons for which making this fact can still be refused, in the order they are checked."""
    names = maker.__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(maker)))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
            why = names[node.exc.id]
            if issubclass(why, Refused):
                yield why.reason
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = names.get(node.func.id)
            if inspect.isfunction(called) and called not in seen and called.__module__.startswith(_package(maker)):
                yield from _refusals(called, seen | {maker, called})


def _package(function: Callable[..., Any]) -> str:
    return function.__module__.rpartition(".")[0] or function.__module__
