from __future__ import annotations

import pytest

from xinji.core.facilities import STATES
from xinji.errors import InputError
from xinji.show.building import breadth, building_words, text_table
from xinji.show.text import LANGUAGES


def test_both_languages_hold_the_same_words() -> None:
    chinese, english = (building_words(language) for language in LANGUAGES)
    assert set(chinese) == set(english)
    for words in (chinese, english):
        assert all(words[f"state.{state}"] for state in STATES)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="zh, en"):
        building_words("fr")


def test_columns_stand_below_each_other_in_chinese_too() -> None:
    lines = list(text_table(("专业", "PV"), [("无线", "1.0"), ("trench", "12,345.0")]))
    assert lines == ["专业          PV", "------  --------", "无线         1.0", "trench  12,345.0"]
    assert {breadth(line) for line in lines} == {16}
