"""Every alarm that the code can raise stands in the table of docs/operations.md.

An alarm is a statement with EventKind::alarm, or a raise() of the daemon; what it says is known by
the texts in it. Where it passes on the words of another place, that place is looked at.

usage: alarms.py PROJECT
"""
import pathlib
import re
import sys

TEXT_BYTES_MIN = 14  # shorter pieces stand in many sentences
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
BEGIN = re.compile(r"\b(?:event|say|self_alarm)\([^;\"]*?EventKind::alarm\b")
# Statements that pass on the words of others; the words are found where they are made.
PASSED_ON = {"alarm.text", "note.text", "failure.to, alarm)", 'text + ". `ballast drain'}
# Where words are made that are passed on: file, and how each of them begins.
MADE = {"src/node/failures.cpp": re.compile(
            r"return [^;]*?(?=\"[^\";]*(?: failed | too long |no VM can))"),
        "src/node/master_drain.cpp": re.compile(r'text = "the drain of "'),
        "src/daemon/daemon.cpp": re.compile(r"(?<!void )\braise\(")}


def pieces(statement):
    """The texts of a statement, neighbours joined as the compiler does."""
    joined = re.sub(r'"\s*\n?\s*"', "", statement)
    return [text.replace('\\"', '"') for text in LITERAL.findall(joined)]


def end_of(text, at):
    """Where the statement ends: a semicolon that stands in no text."""
    for token in re.compile(r'"(?:[^"\\]|\\.)*"|;').finditer(text, at):
        if token.group() == ";":
            return token.start()
    return len(text)


def statements(text, begin):
    """From each place that matches to the end of its statement."""
    for found in begin.finditer(text):
        yield text[found.start():end_of(text, found.start())]


def alarms(project):
    """(where, texts) of each."""
    for path in sorted((project / "src").rglob("*.cpp")) + sorted((project / "src").rglob("*.h")):
        text = path.read_text()
        name = str(path.relative_to(project))
        for statement in statements(text, BEGIN):
            if not any(words in " ".join(statement.split()) for words in PASSED_ON):
                yield name, pieces(statement)
        if name in MADE:
            for statement in statements(text, MADE[name]):
                yield name, pieces(statement)


def table_of(project):
    """What the first column of the alarm table says, in one text."""
    text = (project / "docs" / "operations.md").read_text()
    rows = text.split("\n## Alarms\n")[1].split("\n## ")[0]
    return " ".join(" ".join(row.split("|")[1].split())
                    for row in rows.splitlines() if row.startswith("| ")).replace("`", "")


def main():
    project = pathlib.Path(sys.argv[1])
    table = table_of(project)
    wrong = []
    found = list(alarms(project))
    for name, texts in found:
        parts = [part.strip(" :;,.`") for text in texts for part in re.split(r"[:;,.`] ", text)]
        if not any(len(part) >= TEXT_BYTES_MIN and part in table for part in parts):
            wrong.append(f"{name}: an alarm that docs/operations.md does not name: {texts}")
    print("\n".join(wrong))
    print(f"{len(found)} alarms, {len(wrong)} not in the table")
    return 1 if wrong or len(found) < 15 else 0


if __name__ == "__main__":
    sys.exit(main())
