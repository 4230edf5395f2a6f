"""What the tests of the identity core draw from."""

from __future__ import annotations

from hypothesis import strategies as st

from xinji.use.identity.record import Record, Reference, Value

TEXT = st.text(max_size=12)
PREFIXES = st.sampled_from(["88.1", "88.1.2", "88.10", "OID", "0.NA"])
SUFFIXES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=10)
HANDLES = st.builds("{}/{}".format, PREFIXES, SUFFIXES)
REFERENCES = st.lists(st.builds(Reference, HANDLES, st.integers(0, 2**31 - 1)), max_size=2).map(tuple)
ANY_INDEX = st.integers(1, 2**31 - 1)
TYPES = st.one_of(st.sampled_from(["URL", "EMAIL", "NAME", "HS_SECKEY", "a.b", "a.b.c"]), TEXT.filter(bool))


def values(indexes: st.SearchStrategy[int] = ANY_INDEX) -> st.SearchStrategy[Value]:
    """Draw a value at one of ``indexes``."""
    return st.builds(
        Value,
        index=indexes,
        type=TYPES,
        data=st.one_of(st.binary(max_size=40), TEXT.map(str.encode), st.just(b"%b\xff\xfe%s" * 3)),
        ttl_s=st.integers(0, 2**32 - 1),
        ttl_absolute=st.booleans(),
        timestamp_s=st.integers(0, 2**32 - 1),
        permissions=st.integers(0, 15),
        references=REFERENCES,
    )


VALUE_LISTS = st.lists(values(), max_size=5, unique_by=lambda value: value.index).map(tuple)
RECORDS = st.builds(Record, HANDLES, VALUE_LISTS)
