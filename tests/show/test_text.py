"""The catalogues of words: the same keys, the same gaps to fill, and a name for all that plans hold."""

from __future__ import annotations

import re

import pytest

from xinji.core.parameters import STATUSES
from xinji.core.vocabulary import BANDS_MHZ, GROUPS, SERVICES, TECHNOLOGIES
from xinji.errors import InputError
from xinji.plan.fibre.trench import METHODS
from xinji.plan.radio.costs import HOST_KINDS
from xinji.plan.radio.offer import CARRIER_PAYER, PAYERS
from xinji.show.text import LANGUAGES, listed, words

REASONS = (
    "existing", "committed", "worth_it", "hosts_others", "meets_floor", "outbid", "no_demand_left", "too_late",
    "forbidden", "fixed", "host_out", "no_fibre_path",
)  # fmt: skip
SAME_IN_BOTH = re.compile(
    r"^(language|number)\.|^unit\.currency|^chart\.spend_axis|^report\.mark|^coverage\.of$|^diff\.[ab]$"
)


def gaps(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_both_languages_have_the_same_keys_and_gaps() -> None:
    zh, en = words("zh"), words("en")
    assert set(zh) == set(en)
    assert {key: gaps(text) for key, text in zh.items()} == {key: gaps(text) for key, text in en.items()}


def test_chinese_texts_are_chinese() -> None:
    wide = re.compile("[\u4e00-\u9fff]")
    assert [key for key, text in words("zh").items() if not wide.search(text) and not SAME_IN_BOTH.search(key)] == []
    assert [key for key, text in words("en").items() if wide.search(text)] == []


def test_chinese_texts_have_chinese_punctuation() -> None:
    ascii_stop = re.compile("[\u4e00-\u9fff][,;:()]|[,;:()][\u4e00-\u9fff]")
    assert [text for text in words("zh").values() if ascii_stop.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_a_plan_holds_has_a_name(language: str) -> None:
    text = words(language)
    kinds = (
        *HOST_KINDS, *(f"carrier_{mhz}" for mhz in BANDS_MHZ), "gigabit_cell", "edge_module", "edge_expansion",
        *METHODS, *PAYERS.values(), CARRIER_PAYER,
    )  # fmt: skip
    named = {
        "kind": kinds, "reason": REASONS, "group": (*GROUPS, "all"), "technology": (*TECHNOLOGIES, "trench"),
        "service": tuple(s.name for s in SERVICES), "users": tuple({s.unit for s in SERVICES}), "status": STATUSES,
    }  # fmt: skip
    assert [f"{area}.{key}" for area, keys in named.items() for key in keys if f"{area}.{key}" not in text] == []


def test_a_list_keeps_its_order() -> None:
    assert len(listed(words("zh"), "limits.items")) == len(listed(words("en"), "limits.items")) == 5


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="the language is 'fr'"):
        words("fr")
