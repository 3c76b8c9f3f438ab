"""Reading C++ source as text: enough for rules of the house, no parser."""
import re

# Comments, raw strings, strings and characters, in the order in which they hide each other. A digit
# separator (1'000) is no character.
HIDDEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The code alone: comments and the insides of strings are blanks, so offsets and lines stay."""
    return HIDDEN.sub(lambda found: _blank(found.group()), text)


def includes(text):
    """(line number, '<' or '"', what is included) for each include."""
    visible = re.sub(r"//[^\n]*|/\*.*?\*/", lambda f: _blank(f.group()), text, flags=re.DOTALL)
    found = INCLUDE.finditer(visible)
    return [(line_of(visible, f.start(1)), f.group(1), f.group(2)) for f in found]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matching(code, start, opening, closing):
    """The offset after the bracket that closes the one at `start`; else the end of the text."""
    depth = 0
    for at in range(start, len(code)):
        if code[at] == opening:
            depth += 1
        elif code[at] == closing:
            depth -= 1
            if depth == 0:
                return at + 1
    return len(code)
