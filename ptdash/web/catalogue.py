"""Which texts need a translation (babel.cfg names this): what gettext marks, and the sentences of the errors."""

import ast
from collections.abc import Collection, Iterator
from typing import IO, Any

from babel.messages.extract import extract_python

# What only commands and workers say stays English.
NOT_ON_SCREEN = ("services/importing/", "runtime/", "cli/", "cli.py", "jobs/", "documents/")

# Babel knows the names on the right; the lazy ones mark texts in just the same way.
LAZY = {"lazy_gettext": "gettext", "lazy_ngettext": "ngettext"}

Found = tuple[int, str, Any, Any]


def extract(
    source: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Any
) -> Iterator[Found]:
    """As Babel's own for Python, the texts that stand inside an f-string, and every `message = "…"` of a class."""
    if any(part in str(source.name).replace("\\", "/") for part in NOT_ON_SCREEN):
        return
    marks: Any = [*keywords, *LAZY]
    for line, function, text, comments in extract_python(source, marks, comment_tags, options):
        yield line, LAZY.get(str(function), str(function)), text, comments
    source.seek(0)
    for node in ast.walk(ast.parse(source.read())):
        if isinstance(node, ast.ClassDef):
            yield from _messages(node)
        elif isinstance(node, ast.JoinedStr):
            yield from _inside(node, marks)


def _inside(text: ast.JoinedStr, marks: Collection[str]) -> Iterator[Found]:
    """To Python 3.11 an f-string is one token, into which Babel's extractor does not look."""
    for node in ast.walk(text):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str()), *_]) if name in marks:
                texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                yield node.lineno, LAZY.get(name, name), texts[0] if len(texts) == 1 else tuple(texts), []


def _messages(node: ast.ClassDef) -> Iterator[Found]:
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="message")], value=ast.Constant(value=str(text)))
                | ast.AnnAssign(target=ast.Name(id="message"), value=ast.Constant(value=str(text)))
            ):
                yield statement.lineno, "gettext", text, []
