"""Finds iteration over unordered containers: its order differs between runs and machines, so where
it could reach an effect, a node would not be deterministic.

Names of unordered variables (members, parameters, functions that return one, and `auto` copies of
them) are collected from declarations; then a range-for over such a name, or a begin() on it, is a
finding, unless that line, or a comment line right before it, says `order-free: <reason>`.
"""
import re

from source_text import line_of, matching, without_comments

CONTAINER = re.compile(r"\bunordered_(?:map|set|multimap|multiset)\s*<")
ALIAS = re.compile(r"\busing\s+(\w+)\s*=[^;]*\bunordered_(?:map|set|multimap|multiset)\s*<")
COPY = re.compile(r"\bauto\s*(?:&&|&)?\s*(\w+)\s*=\s*([^;]*);")
DECLARED = re.compile(r"\s*(?:const\b)?[\s&*]*(\w+)\s*[;={(,):\[]")
EXCUSE = re.compile(r"//\s*order-free:\s*\S")


def names_in(text):
    """Names that a file declares with an unordered type."""
    code = without_comments(text)
    names = set()
    for found in CONTAINER.finditer(code):
        end = matching(code, found.end() - 1, "<", ">")
        declared = DECLARED.match(code, end)
        if declared:
            names.add(declared.group(1))
    for alias in ALIAS.findall(code):
        names.update(re.findall(rf"\b{alias}\b[\s&*]+(\w+)\s*[;={{(,)]", code))
    for name, value in COPY.findall(code):
        if is_whole(value, names):
            names.add(name)
    return names


def is_whole(expression, names):
    """True when the expression is one of the containers itself, not something found inside it."""
    expression = expression.strip().lstrip("*&").strip()
    while expression.startswith("(") and expression.endswith(")"):
        expression = expression[1:-1].strip()
    called = re.sub(r"\([^()]*\)$", "", expression)
    last = re.search(r"(\w+)$", called)
    return bool(last) and last.group(1) in names


def iterations(text, more_names=()):
    """Yields (line number, name) for each iteration that is not excused."""
    code = without_comments(text)
    lines = text.split("\n")
    names = names_in(text) | set(more_names)
    for start, end, name in sorted(set(range_fors(code, names)) | set(begins(code, names))):
        first, last = line_of(code, start), line_of(code, end)
        before = lines[first - 2].strip() if first > 1 else ""
        excused = any(EXCUSE.search(line) for line in lines[first - 1 : last])
        if not excused and not (before.startswith("//") and EXCUSE.search(before)):
            yield first, name


def range_fors(code, names):
    for found in re.finditer(r"\bfor\s*\(", code):
        end = matching(code, found.end() - 1, "(", ")")
        before, _, head = code[found.end() : end - 1].rpartition(";")
        ranged = re.split(r"(?<!:):(?!:)", head, maxsplit=1)
        if ";" in before or len(ranged) < 2:
            continue
        for part in ranged[1].split("|"):
            if is_whole(part, names):
                yield found.start(), end, part.strip()


def begins(code, names):
    for found in re.finditer(r"(\w+)\s*(?:\.|->)\s*c?begin\s*\(", code):
        if found.group(1) in names:
            yield found.start(), found.end(), found.group(1)
    for found in re.finditer(r"\b(?:begin|ranges::\w+|for_each)\s*\(\s*([\w.>-]+)\s*[,)]", code):
        if is_whole(found.group(1), names):
            yield found.start(), found.end(), found.group(1)
