"""Assembles the documentation site: `python docs/site.py`, then `zensical build --strict -f build/zensical.toml`.

The pages are the Markdown files of the repository. Their links become links between pages of the site, every rule gets
a page of its own, and ids of rules link to it. Pages that `zensical.toml` names and that are not there are left out.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tomlkit

from loganalyzer.checks.registry import rules
from loganalyzer.checks.rule import Rule

HERE = Path(__file__).parent
ROOT = HERE.parent
SOURCE, CONFIGURATION = "site-source", "zensical.toml"
RULES = "rules/index.md"
"""The page of all rules. The site has one page per rule beside it, instead of `docs/rules.md`."""
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "patterns/README.md": "patterns.md",
    "sample_logs/README.md": "sample-logs.md",
}
"""Files outside of `docs/` that are pages of the site."""
FAMILIES = {
    "AUD": "Audio",
    "CFG": "Configuration",
    "CST": "Cost",
    "LOG": "The log itself",
    "MEM": "Memory",
    "MOD": "Model",
    "REG": "Regressions",
    "RUN": "Failures",
    "SCH": "Window schedule",
    "TIM": "Time",
}
"""Titles of the rules' families, by the letters of their ids."""
API = (
    "loganalyzer.api.analyze",
    "loganalyzer.settings.model.Settings",
    "loganalyzer.report.result.Report",
    "loganalyzer.tables.analysis.Analysis",
    "loganalyzer.common.errors.LogAnalyzerError",
)
"""What the page of the Python API documents."""
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
_LABEL = re.compile(r"(?<!!)\[([^]]*)\]\(([^)]+)\)")
_RULE_ID = re.compile(
    r"^#.*$|!?\[[^]]*\]\([^)]*\)|`(?P<code>[A-Z]{3}\d{3})`|`[^`]*`|\b(?P<id>[A-Z]{3}\d{3})\b", re.MULTILINE
)


class BrokenLinkError(Exception):
    """A page links to a file that the site does not have."""


def assemble(build: Path) -> list[str]:
    """Writes the pages and the configuration below `build`, and returns the names of all pages.

    Raises:
        BrokenLinkError: a page links to a file that the site does not have.
    """
    source = build / SOURCE
    shutil.rmtree(source, ignore_errors=True)
    configuration = tomlkit.parse((ROOT / CONFIGURATION).read_text(encoding="utf-8")).unwrap()
    project = configuration["project"]
    pages = _pages(set(_named_pages(project["nav"])))
    for name, text in pages.items():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    _copy_other_files(source)
    project["nav"] = list(_nav(project["nav"], set(pages)))
    (build / CONFIGURATION).write_text(tomlkit.dumps(configuration), encoding="utf-8")
    return sorted(pages)


def _pages(named: set[str]) -> dict[str, str]:
    """The text of every page by its name; `named` are the pages that the site announces."""
    files = {f"docs/{path.name}": path.name for path in sorted(HERE.glob("*.md"))}
    files |= {name: page for name, page in ELSEWHERE.items() if (ROOT / name).is_file()}
    files["docs/rules.md"] = RULES
    missing = {f"docs/{page}": page for page in named}.keys() - files.keys()
    pages = {}
    for name, page in files.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = _without_missing(text, name, missing)
        pages[page] = _link_rules(relink(text, name, files))
    pages["index.md"] = pages["index.md"].partition("\n## More\n")[0] + "\n"
    return pages | dict(_generated_pages())


def _generated_pages() -> Iterator[tuple[str, str]]:
    made = runpy.run_path(str(HERE / "rules.py"))
    table = made["table_lines"](lambda rule: f"{rule.id}.md")
    yield RULES, "\n".join(["# Rules", "", *_rules_intro(), *table]) + "\n"
    for rule in _shipped_rules():
        yield _rule_page_name(rule), "\n".join(_rule_lines(rule, made["rule_lines"], made["severity_text"])) + "\n"
    yield "api.md", "\n".join(["# Python API", "", *_api_lines()]) + "\n"


def _shipped_rules() -> list[Rule]:
    """The rules of loganalyzer itself, sorted by id; rules of other packages on this machine are left out."""
    return [rule for rule in rules().values() if rule.package is None]


def _rules_intro() -> Iterator[str]:
    yield "`loganalyze rules ID` shows a rule in the terminal. The [configuration](../configuration.md) can change"
    yield "severities and ignore rules until a date."
    yield ""


def _rule_page_name(rule: Rule) -> str:
    return f"rules/{rule.id}.md"


def _rule_lines(rule: Rule, body: Callable[[Rule], Iterator[str]], severity: Callable[[Rule], str]) -> Iterator[str]:
    yield f"# {rule.id} {rule.name}"
    yield ""
    yield f"{severity(rule).capitalize()}, shown by a {rule.witness}."
    yield ""
    yield from body(rule)
    if rule.under:
        causes = ", ".join(f"[{name}]({name}.md)" for name in rule.under)
        yield ""
        yield f"If the same run has one of these findings, it names the cause: {causes}."


def _api_lines() -> Iterator[str]:
    yield "[Python and notebooks](python.md) has examples, [tables](tables.md) every column. The first four names can"
    yield "be imported from `loganalyzer`."
    for name in API:
        yield ""
        yield f"::: {name}"


def _copy_other_files(source: Path) -> None:
    """Copies pictures, styles and the ready CI jobs."""
    for path in HERE.rglob("*"):
        if path.suffix in {".png", ".css", ".yml"}:
            target = source / path.relative_to(HERE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def relink(text: str, name: str, files: dict[str, str]) -> str:
    """The text of the file `name` with links between files as links between pages; `files` has the pages by file.

    Raises:
        BrokenLinkError: a link leads to a file that the site does not have.
    """

    def new_target(found: re.Match[str]) -> str:
        file = os.path.normpath(Path(name).parent / found[1]).replace(os.sep, "/")
        if file in files:
            return files[file] + (found[2] or "")
        if file.startswith("docs/") and (ROOT / file).is_file():
            return file.removeprefix("docs/")
        raise BrokenLinkError(f"{name}: the link to {found[1]} leads to no page of the site")

    return _outside_fences(text, lambda part: _LINK.sub(new_target, part))


def _without_missing(text: str, name: str, missing: set[str]) -> str:
    """The text with the words only, where it links to a page that is announced and not there."""

    def label_only(found: re.Match[str]) -> str:
        file = os.path.normpath(Path(name).parent / found[2].partition("#")[0]).replace(os.sep, "/")
        return found[1] if file in missing else found[0]

    return _LABEL.sub(label_only, text)


def _link_rules(text: str) -> str:
    """The text with links from ids of rules to their pages."""
    known = {rule.id for rule in _shipped_rules()}

    def linked(found: re.Match[str]) -> str:
        name = found["code"] or found["id"]
        return f"[{found[0]}](rules/{name}.md)" if name in known else found[0]

    return _outside_fences(text, lambda part: _RULE_ID.sub(linked, part))


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("```") else change(part) for part in _FENCE.split(text))


def _named_pages(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from _named_pages(value) if isinstance(value, list) else [value]


def _nav(nav: list[Any], pages: set[str]) -> Iterator[Any]:
    """The navigation with the pages that are there, and with the rules by family below their page."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
            if entry == RULES:
                yield from _families()
            continue
        for title, value in entry.items():
            if isinstance(value, list):
                yield {title: list(_nav(value, pages))}
            elif value in pages:
                yield {title: value}


def _families() -> Iterator[dict[str, Any]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for rule in _shipped_rules():
        found[FAMILIES.get(rule.id[:3], rule.id[:3])].append({f"{rule.id} {rule.name}": _rule_page_name(rule)})
    return ({title: entries} for title, entries in found.items())


if __name__ == "__main__":
    print(f"{len(assemble(ROOT / 'build'))} pages in build/{SOURCE}")
