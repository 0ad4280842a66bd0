"""The pages as tests see them: their code blocks, their links, and the commands they tell people to run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(DOCS.glob("*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
    *sorted(ROOT.glob("benchmarks/*.md")),
]

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_REDIRECTION = re.compile(r"\d?>{1,2}\s*(&\d|[^\s|;&]+)")
_PLACEHOLDER = re.compile(r"…|\.\.\.|\b[A-Z]{2,}\b|\[")


@dataclass(frozen=True)
class Block:
    """What stands between two fences of a page."""

    page: Path
    line: int
    language: str
    text: str
    before: str
    """The paragraph above it."""

    @property
    def file(self) -> str:
        """The file that its first line says it is, if it says so: `# conf/queue.toml`."""
        named = re.match(r"# (\S+\.(?:py|toml))\n", self.text)
        return named[1] if named else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page in these languages, in order."""
    text = page.read_text()
    return [_block(page, text, found) for found in _BLOCK.finditer(text) if found[2] in languages]


def _block(page: Path, text: str, found: re.Match[str]) -> Block:
    before = text[: found.start()].rstrip("\n").rpartition("\n\n")[2]
    return Block(page, text.count("\n", 0, found.start()) + 1, found[2], _dedented(found[3], found[1]), before)


def _dedented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def all_blocks(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page, *languages)]


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _BLOCK.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """Where it points to, within the project."""
    return [link for link in _LINK.findall(prose(page)) if "://" not in link and not link.startswith("mailto:")]


def anchors(page: Path) -> set[str]:
    """The names of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@dataclass(frozen=True)
class Call:
    """A `queuectl …` that a page tells people to run."""

    place: str
    words: tuple[str, ...]
    whole: bool
    """In a block for a shell; the text may speak of a command without its arguments."""

    def __str__(self) -> str:
        return f"{self.place} queuectl {' '.join(self.words)}"


def calls() -> Iterator[Call]:
    """Every one of every page: in blocks for a shell, and in the text where it is no sketch with placeholders."""
    for block in all_blocks("sh", "console", "bash"):
        for line in _commands(block):
            yield from _calls(str(block), line, whole=True)
    for page in PAGES:
        for code in _CODE.findall(prose(page)):
            if code.startswith("queuectl ") and not _PLACEHOLDER.search(code):
                yield from _calls(page.name, code, whole=False)


def _commands(block: Block) -> list[str]:
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        return [line[2:] for line in lines if line.startswith("$ ")]
    return lines


def _calls(place: str, line: str, *, whole: bool) -> Iterator[Call]:
    lexer = shlex.shlex(_REDIRECTION.sub(" ", line), posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "#", True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&"):
            yield from _call(place, words, whole)
            words = []
        else:
            words.append(word)


def _call(place: str, words: list[str], whole: bool) -> Iterator[Call]:
    for position, word in enumerate(words):
        if word == "queuectl" or word.endswith("/bin/queuectl"):
            yield Call(place, tuple(words[position + 1 :]), whole)
            return
