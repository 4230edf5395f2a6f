"""GS1 keys and paths for tests."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from xinji.use.identity.gs1 import KINDS, PRIMARY_KEYS, QUALIFIERS
from xinji.use.identity.names import gs1_check_digit

# GS1 Digital Link standard, URI syntax 1.4.0, section 4 and 5.1; GS1 General Specifications for the GMN.
EXAMPLES = {
    "01": "09506000134352",
    "00": "095060001343520000",
    "253": "9506000134376ABC",
    "255": "95060001343761234",
    "401": "9506000ABC",
    "402": "95060001343760123",
    "410": "9506000134376",
    "411": "9506000134376",
    "412": "9506000134376",
    "413": "9506000134376",
    "414": "9506000134376",
    "415": "9506000134376",
    "416": "9506000134376",
    "417": "9506000134376",
    "8003": "09506000134352ABC",
    "8004": "9506000ABC123",
    "8006": "095060001343520102",
    "8010": "9506000ABC-1",
    "8013": "1987654Ad4X4bL5ttr2310c2K",
    "8017": "950600013437612342",
    "8018": "950600013437612342",
}


def mended(identifier: str, value: str) -> str:
    """Return ``value`` with the check digit that it needs; its other characters are examples."""
    at = KINDS[identifier].checked
    return value if not at else value[: at - 1] + gs1_check_digit(value[: at - 1]) + value[at:]


def qualified() -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Return paths of a primary key and some of its qualifiers."""
    text = st.text("ABCxyz019!%&'()*+,-./:;<=>?_\"", min_size=1, max_size=20)
    forms = {"8011": st.integers(0, 10**12 - 1).map(str), "8019": st.from_regex(r"[0-9]{1,10}", fullmatch=True)}
    forms["7040"] = st.from_regex(r"[0-9][A-Za-z0-9]{3}", fullmatch=True)

    @st.composite
    def made(draw: Callable[[st.SearchStrategy[object]], object]) -> tuple[tuple[str, str], ...]:
        key = str(draw(st.sampled_from(PRIMARY_KEYS)))
        orders = QUALIFIERS.get(key, ((),))
        order = orders[int(str(draw(st.integers(0, len(orders) - 1))))]
        chosen = [name for name in order if draw(st.booleans())]
        pairs = [(name, str(draw(forms.get(name, text)))) for name in chosen]
        return ((key, mended(key, EXAMPLES[key])), *pairs)

    return made()
