"""Messages of every kind, for property tests of the DO-IRP codec."""

from __future__ import annotations

from hypothesis import strategies as st

from xinji.use.identity.doirp import bodies
from xinji.use.identity.doirp.codes import Digest, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Credential, Envelope, Header, Message
from xinji.use.identity.record import Reference, Value

U4 = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
OCTETS = st.binary(max_size=40)
INDEXES = st.lists(U4, max_size=4).map(tuple)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
VALUES = st.lists(
    st.builds(
        Value,
        index=st.integers(1, 2**31 - 1),
        type=TEXT.filter(bool),
        data=OCTETS,
        ttl_s=U4,
        ttl_absolute=st.booleans(),
        timestamp_s=U4,
        permissions=st.integers(0, 15),
        references=st.lists(st.builds(Reference, TEXT, U4), max_size=2).map(tuple),
    ),
    max_size=3,
).map(tuple)

ANSWERABLE = st.sampled_from([code for code in ResponseCode if code > ResponseCode.SUCCESS])
NAMED = st.builds(bodies.Named, TEXT)
ELEMENTS = st.builds(bodies.Elements, TEXT, VALUES)
NAMES = st.builds(bodies.Names, TEXTS)
REFERRAL = st.one_of(st.builds(bodies.Referral, TEXT.filter(bool)), st.builds(bodies.Referral, st.just(""), VALUES))
FAILURE = st.one_of(
    st.builds(bodies.Failure), st.builds(bodies.Failure, TEXT.filter(bool), INDEXES), st.just(bodies.Failure())
)

BODIES: dict[type[bodies.Body], st.SearchStrategy[bodies.Body]] = {
    bodies.Query: st.builds(bodies.Query, TEXT, INDEXES, TEXTS),
    bodies.Elements: ELEMENTS,
    bodies.Removal: st.builds(bodies.Removal, TEXT, INDEXES),
    bodies.Named: NAMED,
    bodies.Names: NAMES,
    bodies.Failure: FAILURE,
    bodies.Referral: REFERRAL,
    bodies.Challenge: st.builds(bodies.Challenge, OCTETS),
    bodies.ChallengeAnswer: st.builds(bodies.ChallengeAnswer, TEXT, TEXT, U4, OCTETS),
    bodies.Verification: st.builds(bodies.Verification, TEXT, U4, OCTETS, OCTETS, OCTETS),
    bodies.Verified: st.builds(bodies.Verified, st.booleans()),
    bodies.SessionSetup: st.builds(bodies.SessionSetup, st.integers(0, 65535), U4, TEXT, U4, OCTETS),
    bodies.SessionKey: st.builds(bodies.SessionKey, st.integers(0, 65535), OCTETS),
    bodies.Raw: st.builds(bodies.Raw, OCTETS),
}

DIGESTS = st.sampled_from(Digest).flatmap(
    lambda algorithm: st.binary(min_size=bodies.DIGEST_OCTETS[algorithm], max_size=bodies.DIGEST_OCTETS[algorithm]).map(
        lambda octets: bodies.RequestDigest(algorithm, octets)
    )
)

CREDENTIALS = st.one_of(st.none(), st.builds(Credential, TEXT, TEXT, OCTETS, TEXT, U4, options=st.integers(0, 65535)))


@st.composite
def parts(draw: st.DrawFn) -> tuple[Header, bodies.RequestDigest | None, bodies.Body]:
    """A header, and a digest and body that fit it."""
    op = draw(st.sampled_from(OpCode))
    response = draw(st.one_of(st.just(0), st.just(1), ANSWERABLE))
    flags = draw(U4)
    digest = draw(DIGESTS) if response and flags & OpFlag.RD else None
    header = Header(op, response, flags, draw(st.integers(0, 65535)), draw(st.integers(0, 255)), draw(U4))
    kind = bodies.kind_of(header, 1 if draw(st.booleans()) else 0)
    if kind is bodies.Raw and response == 1 and op in bodies.ANSWERS:
        return header, digest, bodies.Raw()
    return header, digest, draw(BODIES[kind])


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A whole message of any kind."""
    header, digest, body = draw(parts())
    version = st.tuples(st.sampled_from((2, 3)), st.integers(0, 255))
    suggested = st.tuples(st.integers(0, 31), st.integers(0, 255))
    envelope = Envelope(draw(U4), session=draw(U4), version=draw(version), suggested=draw(suggested))
    return Message(envelope, header, bodies.encode_body(body, digest), draw(CREDENTIALS))
