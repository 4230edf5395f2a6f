"""How Sphinx builds the documentation."""

from __future__ import annotations

import argparse
import os
from importlib.metadata import version as installed

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from xinji.cli_parser import parser
from xinji.core.parameters import Parameter
from xinji.io.parameters import PROFILES, load

project = "Xinji 新基"
author = "The Xinji authors"
copyright = "The Xinji authors, Apache-2.0"
version = release = installed("xinji")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Xinji {version}"
autodoc_typehints = "signature"
autodoc_member_order = "groupwise"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True


class ParameterTable(SphinxDirective):
    """Set the registry as a table: ``{parameters} radio`` lists every key that begins with ``radio.``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table as nodes."""
        profiles = [load(profile).entries for profile in PROFILES]
        lines = ["| key | unit | " + " | ".join(PROFILES) + " | year | status | source |"]
        lines.append("|---|---|" + "---|" * len(PROFILES) + "---|---|---|")
        for key in profiles[0]:
            if key.startswith(f"{self.arguments[0]}."):
                lines += table_rows(key, [entries[key] for entries in profiles])
        return self.parse_text_to_nodes("\n".join(lines))


def table_rows(key: str, found: list[Parameter]) -> list[str]:
    """Return a row for ``key``, or one for each profile where their sources differ."""
    groups = [found] if len(set(found)) == 1 else [[entry] for entry in found]
    rows = []
    for group in groups:
        figures = [ranged(entry) if entry in group else "" for entry in found]
        first = group[0]
        source = plain(first.source + (f". {first.note}" if first.note else ""))
        linked = f"[{source}]({first.url})" if first.url.startswith("http") else source
        cells = (f"`{key}`", plain(first.unit), *figures, first.year, first.status, linked)
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def ranged(entry: Parameter) -> str:
    """Return a figure with its range."""
    comma = "" if entry.unit == "year" else ","
    value, low, high = (f"{figure:{comma}.6g}" for figure in (entry.value, entry.low, entry.high))
    return f"{value} ({low} to {high})"


def plain(text: str) -> str:
    """Return ``text`` so that Markdown sets it as it stands."""
    for sign in "\\`*_[]<>|$":
        text = text.replace(sign, f"\\{sign}")
    return text


class CommandHelp(SphinxDirective):
    """Set what ``--help`` prints of a verb (``{command} plan``), a sub-verb (``{command} id serve``) or the whole."""

    optional_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Return the text as nodes."""
        os.environ["COLUMNS"] = "100"  # argparse breaks lines at the terminal's width
        chosen = parser()
        for word in self.arguments:
            verbs = next(a for a in chosen._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001 - argparse names them nowhere else
            chosen = verbs.choices[word]
        text = chosen.format_help()
        return [nodes.literal_block(text, text, language="text")]


def setup(app: Sphinx) -> None:
    """Make the directives known to Sphinx."""
    app.add_directive("parameters", ParameterTable)
    app.add_directive("command", CommandHelp)
