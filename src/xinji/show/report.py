"""The report of a plan: one HTML file that needs no network and prints well."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from xinji.core.difference import Explanation
from xinji.core.replanned import Replanned
from xinji.core.study import Study
from xinji.show import facts
from xinji.show.building import building_words
from xinji.show.charts import compare_chart, coverage_chart, curve_points, marginal_curve, spend_chart
from xinji.show.ledger_chart import ledger_chart
from xinji.show.ledger_section import MONEY_COLUMNS, ledger_section
from xinji.show.look import CHINESE_STACK, LATIN_STACK, to_svg
from xinji.show.maps import overview_map, stage_maps
from xinji.show.marks import COSTS, COVERAGE, DISCOUNT, VALUE, Mark, marks, numbers_of
from xinji.show.numbers import currency_name, money_unit
from xinji.show.text import Words, listed


def render(
    study: Study,
    *,
    language: str = "zh",
    replanned: Replanned | None = None,
    explained: Explanation | None = None,
) -> str:
    """Return the report of ``study`` in ``language`` (one of ``LANGUAGES``) as a self-contained HTML page.

    With ``replanned``, what the ledger left of the plan, it has a section on that; ``explained`` says there
    why the plan differs from the last one. Raises InputError if the language is unknown.
    """
    text = building_words(language)
    numbers = numbers_of(study.region.parameters)
    loader = PackageLoader("xinji.show")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters["mark"] = _mark
    return page.get_template("report.html.j2").render(
        t=text,
        language={"zh": "zh-CN"}.get(language, language),
        fonts=Markup(CHINESE_STACK if language == "zh" else LATIN_STACK),  # noqa: S704 -- constants
        study=study,
        title=getattr(study.region, text["language.title"]),
        version=version("xinji"),
        years=study.policy.years,
        money_unit=money_unit(text, study.region.currency)[0],
        currency=currency_name(text, study.region.currency),
        figures=_figures(study, text, replanned),
        money_columns=MONEY_COLUMNS,
        ledger=None if replanned is None else ledger_section(text, replanned, explained, study.region.currency),
        basis={
            "value": marks(numbers, VALUE),
            "coverage": marks(numbers, COVERAGE),
            "costs": marks(numbers, COSTS),
            "all": marks(numbers, (*COVERAGE, *COSTS, *DISCOUNT)),
        },
        facts=_facts(study, text),
        limits=listed(text, "limits.items"),
    )


def _facts(study: Study, text: Words) -> dict[str, object]:
    """Return the rows and sentences that the template sets."""
    numbers = numbers_of(study.region.parameters)
    drawn = len(curve_points(study)[0])
    return {
        "tiles": facts.tiles(study, text, numbers),
        "summary": facts.summary(study, text),
        "coverage_heads": facts.coverage_heads(text),
        "coverage": facts.coverage_rows(study, text),
        "spend_heads": facts.spend_heads(text),
        "spend": facts.spend_rows(study, text),
        "bill": facts.bill_rows(study, text, numbers),
        "compare": facts.compare_rows(study, text),
        "compared": facts.compared(study, text),
        "money": facts.money_said(study, text),
        "floors": facts.floor_rows(study, text),
        "reasons": facts.reason_rows(study, text),
        "out": facts.out_rows(study, text),
        "dropped": int((study.plan.stage != 0).sum()) - drawn,
        "assumptions": facts.assumption_rows(study, text, numbers),
        "counts": facts.assumption_counts(study, text),
    }


def _figures(study: Study, text: Words, replanned: Replanned | None) -> dict[str, Markup]:
    """Return the figures as SVG, each drawn by matplotlib and tidied for the page."""
    drawn: dict[str, tuple[Figure, str]] = {
        "overview": (overview_map(study, text), text["maps.overview"]),
        "stages": (stage_maps(study, text), text["maps.stages"]),
        "coverage": (coverage_chart(study, text), text["coverage.figure"]),
        "spend": (spend_chart(study, text), text["money.figure"]),
        "curve": (marginal_curve(study, text), text["chart.curve_y"].format(currency=study.region.currency)),
        "compare": (compare_chart(study, text), text["compare.figure"]),
    }
    if replanned is not None:
        drawn["ledger"] = (ledger_chart(replanned, text, study.region.currency), text["ledger.figure"])
    # The SVG is our own and its texts are escaped where it is made.
    return {name: Markup(to_svg(figure, name, title)) for name, (figure, title) in drawn.items()}  # noqa: S704


def _mark(found: Iterable[Mark]) -> Markup:
    """Return marks as small links to the list of assumptions."""
    links = [
        Markup('<a href="#p-{}">{}</a>').format(m.key, str(m.first) if m.first == m.last else f"{m.first}–{m.last}")
        for m in found
    ]
    if not links:
        return Markup("")
    return Markup('<sup class="mark">[{}]</sup>').format(Markup(", ").join(links))
