"""Maps and charts: text that stays text, order that survives grey, places that are the plan's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from PIL import Image

from support.study import made_up_study
from xinji.core.study import Study
from xinji.show import look, maps
from xinji.show.charts import curve_points, spend_chart
from xinji.show.ground import GROUP_TINTS, round_length
from xinji.show.look import GROUP_STYLES, TECHNOLOGY_COLOURS, new_figure, to_svg, year_colours
from xinji.show.maps import overview_map, save_map_png, stage_maps
from xinji.show.places import gigabit_stage, places_of
from xinji.show.text import words


@pytest.fixture(scope="module")
def study() -> Study:
    return made_up_study()


def lightness(colour: str) -> float:
    """Return relative luminance (ITU-R BT.709), which is what a grey printer keeps."""
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def test_years_go_from_dark_to_light_in_steps_that_grey_keeps() -> None:
    shades = [lightness(colour) for colour in year_colours((2026, 2027, 2028, 2029, 2030)).values()]
    assert min(np.diff(shades)) > 0.05
    assert max(shades) < min(lightness(tint) for tint in GROUP_TINTS.values()) - 0.1


def test_technologies_differ_in_grey() -> None:
    shades = sorted(lightness(colour) for colour in TECHNOLOGY_COLOURS.values())
    assert min(np.diff(shades)) > 0.05


def test_groups_differ_in_more_than_colour() -> None:
    assert len({(line, marker) for _, line, marker in GROUP_STYLES.values()}) == len(GROUP_STYLES)


def test_chinese_stays_text_without_any_chinese_font() -> None:
    figure = new_figure(3, 1)
    figure.text(0.5, 0.5, "新吴区 & 2026\n第二行", ha="center")
    svg = to_svg(figure, "a", "标题")
    assert "新吴区 &amp; 2026" in svg
    assert "第二行" in svg
    assert "WWW" not in svg
    assert 'aria-label="标题"' in svg
    assert "Noto Sans CJK SC" in svg
    assert figure.texts[0].get_text() == "新吴区 & 2026\n第二行"


def test_every_label_of_the_maps_is_text_in_the_svg(study: Study) -> None:
    text = words("zh")
    svg = to_svg(overview_map(study, text), "map", "map")
    for label in (
        "2026",
        "2030",
        text["map.north"],
        text["map.edge"],
        text["group.rural"],
        "© OpenStreetMap contributors",
    ):
        assert label in svg
    assert "虚构区：至 2030 年" in svg
    stages = to_svg(stage_maps(study, text), "stages", "stages")
    for year in study.policy.years:
        assert f"{year} 年" in stages


def test_the_same_figure_gives_the_same_svg(study: Study) -> None:
    one, two = (to_svg(spend_chart(study, words("en")), "spend", "x") for _ in range(2))
    assert one == two
    assert "Date" not in one


def test_png_falls_back_to_english_where_no_font_writes_chinese(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "cjk_font", lambda: None)
    monkeypatch.setattr(maps, "cjk_font", lambda: None)
    assert save_map_png(study, tmp_path / "a.png", language="zh", dpi=60) == "en"
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == round(maps.WIDTH_IN * 60)


@pytest.mark.skipif(look.cjk_font() is None, reason="needs a font that writes Chinese")
def test_png_is_in_chinese_where_a_font_writes_it(study: Study, tmp_path: Path) -> None:
    assert save_map_png(study, tmp_path / "a.png", language="zh", which="stages", dpi=60) == "zh"


@given(st.floats(1.0, 1e7))
def test_a_scale_bar_has_a_round_length_that_fits(metres: float) -> None:
    length = round_length(metres)
    assert metres / 2.5 < length <= metres
    assert float(f"{length:.0e}") == length


def test_places_hold_what_is_built_where(study: Study) -> None:
    stage, ids = study.plan.stage, study.problem.option_id.tolist()
    radio = places_of(study, "radio")
    sites = [i for i, name in enumerate(ids) if name.startswith("site-") and "/" not in name]
    assert len(radio.x_m) == len(sites)
    for place, i in enumerate(sites):
        mine = [j for j, name in enumerate(ids) if name.split("/")[0] == ids[i]]
        wanted = {int(stage[j]) for j in mine if stage[j] >= 1}
        assert set(np.flatnonzero(radio.added[place]).tolist()) == wanted
        assert radio.exists[place] == (stage[i] == 0)
        assert radio.first[place] == (min(wanted) if wanted else 0)
        assert radio.before(3)[place] == any(t < 3 for t in wanted)


def test_gigabit_cells_are_those_of_the_built_options(study: Study) -> None:
    found = gigabit_stage(study)
    by_id = dict(zip(study.problem.option_id.tolist(), study.plan.stage.tolist(), strict=True))
    wanted = [by_id.get(f"gigabit-{cell}", -1) for cell in study.region.cells.id.tolist()]
    assert found.tolist() == wanted


def test_the_curve_rises_and_leaves_out_what_exists(study: Study) -> None:
    price, worth, chosen = curve_points(study)
    assert (np.diff(price / worth) >= 0).all()
    assert (study.plan.stage[chosen] != 0).all()
    assert len(set(chosen.tolist())) == len(chosen)
