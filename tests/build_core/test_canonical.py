"""Canonical JSON against the figures that RFC 8785 publishes, and against Python's own reader."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.build.canonical import canonical, number_text

APPENDIX_B = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]
"""IEEE 754 bits and their text, from RFC 8785 appendix B."""


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B)
def test_numbers_as_published(bits: str, text: str) -> None:
    assert number_text(struct.unpack(">d", bytes.fromhex(bits))[0]) == text


def test_the_published_object() -> None:
    """RFC 8785 section 3.2.4: escapes and the order of keys."""
    keys = {"€": "Euro Sign", "\r": "CR", "\ufb33": "Hebrew", "1": "One", "😀": "Face", "\x80": "Control", "ö": "o"}
    order = ["CR", "One", "Control", "o", "Euro Sign", "Face", "Hebrew"]
    assert list(json.loads(canonical(keys)).values()) == order
    string = '€$\x0f\nA\'B"\\\\"/'
    assert canonical({"literals": [None, True, False], "string": string}) == (
        '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aé😀z", max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(plain)
def test_reads_back_as_it_was(value: object) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53), "\ud800", {1, 2}, np.int64(3)])
def test_what_has_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


def test_numpy_floats_and_strings_are_plain() -> None:
    assert canonical([np.float64(1.5), np.str_("x")]) == '[1.5,"x"]'
