"""Small changes of a rule's SQL or a module's Python, one at a time."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """A file with one thing changed: where, what it was and what it is now."""

    path: Path
    line: int
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.said()}"

    def said(self) -> str:
        """What it was and what it is now, on one line."""
        return " ".join(f"{self.before} -> {self.after}".split())


def changes(path: Path) -> Iterator[Mutant]:
    """Every small change of a model or a module."""
    return of_sql(path) if path.suffix == ".sql" else of_python(path)


# Each changes what a rule says; what stands to the right must still be SQL.
_SQL = (
    (r" <= ", (" < ", " >= ")),
    (r" >= ", (" > ", " <= ")),
    (r" < ", (" <= ",)),
    (r" > ", (" >= ",)),
    (r" <> ", (" = ",)),
    (r" = ", (" <> ",)),
    (r"\band not ", ("and ",)),
    (r"\bwhen not ", ("when ",)),
    (r"(?<!between )\band\b(?! not)", ("or",)),
    (r"\bor\b(?! replace)", ("and",)),
    (r" \+ 1\b", ("", " + 2")),
    (r" - 1\b", ("",)),
    (r" \+ (?=row_number|to_months|coalesce|tax\b|points)", (" - ",)),
    (r" - (?=tax\b|practice)", (" + ",)),
    (r"(?<!select) \* ", (" + ",)),
    (r" // ", (" * ",)),
    (r"\bleft join\b", ("inner join",)),
    (r"\banti join\b", ("semi join",)),
    (r"\bgreatest\(", ("least(",)),
    (r"\bleast\(", ("greatest(",)),
    (r"\bmin\(", ("max(",)),
    (r"\bmax\(", ("min(",)),
    (r"\barg_min\(", ("arg_max(",)),
    (r"\bsum\(", ("max(",)),
    (r"\bbool_or\(", ("bool_and(",)),
    (r"\bis not null\b", ("is null",)),
    (r"\bis null\b", ("is not null",)),
    (r"\btrue\b", ("false",)),
    (r"\bfalse\b", ("true",)),
    (r"\b12\b", ("11",)),
    (r"\bdesc\b", ("asc",)),
    (r", 2\)::", (", 1)::",)),
)


def of_sql(path: Path) -> Iterator[Mutant]:
    """Every small change of a model, comments left alone."""
    text = path.read_text(encoding="utf-8")
    start = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        code = line.split("--")[0]
        for pattern, others in _SQL:
            for found in re.finditer(pattern, code):
                for other in others:
                    after = code[: found.start()] + other + code[found.end() :]
                    whole = text[:start] + after + line[len(code) :]
                    yield Mutant(
                        path, number, line, after, whole + text[start + len(line) :]
                    )
        start += len(line)


_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
}  # fmt: skip


# What holds of itself, and is said so that it is held to: without it nothing differs.
# Values are never changed, and what is paired is of one length.
_PROMISES = ("frozen=True", "strict=True")


def of_python(path: Path) -> Iterator[Mutant]:
    """Every small change of a module: comparisons, conditions, sums, calls left out."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    named = {
        node.value: f"{node.arg}="
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg
    }
    for node in ast.walk(tree):
        name = named.get(node, "")
        for other in _others(node) if name + ast.unparse(node) not in _PROMISES else ():
            yield _put(path, text, node, other, name)


def _others(node: ast.AST) -> Iterator[str]:
    """The node said otherwise, as code."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        ops = [_COMPARE[type(node.ops[0])](), *node.ops[1:]]
        yield ast.unparse(ast.Compare(node.left, ops, node.comparators))
    elif isinstance(node, ast.BoolOp):
        flipped = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield ast.unparse(ast.BoolOp(flipped, node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield ast.unparse(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        if not _is_text(node):
            other = ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
            yield ast.unparse(other)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "pass"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield str(not node.value)


def _is_text(node: ast.BinOp) -> bool:
    """Text is put together with +, and taking it apart says nothing."""
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        for part in ast.walk(node)
    )


def _put(path: Path, text: str, node: ast.AST, other: str, name: str) -> Mutant:
    lines = text.splitlines(keepends=True)
    first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
    # Columns of `ast` count bytes.
    head = lines[first - 1].encode()[: node.col_offset].decode()  # type: ignore[attr-defined]
    tail = lines[last - 1].encode()[node.end_col_offset :].decode()  # type: ignore[attr-defined]
    before = ast.get_source_segment(text, node) or ""
    kept = "".join(lines[: first - 1]) + head
    whole = f"{kept}({other}){tail}" if other != "pass" else f"{kept}pass{tail}"
    return Mutant(
        path, first, name + before, name + other, whole + "".join(lines[last:])
    )
