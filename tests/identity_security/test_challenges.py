"""Challenges that nobody answers, and wrong answers without end: bounded memory, and who is right is let in."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from support.http_node import ADMIN, THING
from support.secured_node import Secured, by_admin, by_forger
from xinji.use.identity.doirp.bodies import ChallengeAnswer, Elements, Query
from xinji.use.identity.doirp.challenges import Challenges
from xinji.use.identity.doirp.codes import Digest, OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Envelope, Header, Message, decode_message
from xinji.use.identity.http.faces import SiteSettings
from xinji.use.identity.http.sessions import Sessions
from xinji.use.identity.limits import Allowance
from xinji.use.identity.record import Value
from xinji.use.identity.secondary_doip import Challenges as Numbers
from xinji.use.identity.serve import Serving

AtWork = Callable[..., AbstractContextManager[Secured]]

FLOOD = 12_000


def message(octets: int) -> bytes:
    """A request of about so many octets that is answered by a challenge."""
    return Message(Envelope(1), Header(OpCode.CREATE_ID), bytes(octets)).encode()


def test_do_irp_challenges_that_nobody_answers_take_bounded_memory() -> None:
    now = [0.0]
    challenges = Challenges(clock=lambda: now[0])
    small, large = message(100), message(1_000_000)
    tracemalloc.start()
    for _ in range(FLOOD):
        challenges.issue(bytes(bytearray(small)), Digest.SHA256)
    held, _ = tracemalloc.get_traced_memory()
    assert len(challenges.standing) == 10_000
    assert held < 16 * 2**20
    for _ in range(80):
        challenges.issue(bytes(bytearray(large)), Digest.SHA256)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert challenges.octets <= 64 * 2**20
    assert held < (64 + 16) * 2**20
    # Who answers at once is let in, whatever stands besides; who comes late is not, and the old ones go.
    session, challenge = challenges.issue(small, Digest.SHA256)
    assert challenges.take(session) == challenge
    assert challenges.take(session) is None
    late, _ = challenges.issue(small, Digest.SHA256)
    now[0] += 31.0
    assert challenges.take(late) is None
    challenges.issue(small, Digest.SHA256)
    assert (len(challenges.standing), challenges.octets) == (1, len(small))


def test_sessions_and_numbers_that_nobody_signs_take_bounded_memory() -> None:
    sessions, numbers = Sessions(), Numbers()
    tracemalloc.start()
    for number in range(FLOOD):
        sessions.start()
        numbers.make(f"88.1/{number}")
    for _ in range(1_000):
        numbers.make("88.1/one")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sessions) == 10_000
    assert len(numbers.open("88.1/one")) == 16
    assert held < 24 * 2**20
    newest = sessions.start()
    assert sessions.find(newest.name) == newest


@pytest.fixture
def node(at_work: AtWork, tmp_path: Path) -> Iterator[Secured]:
    """A node where each network may offer five wrong proofs."""
    site = SiteSettings(failures=Allowance(rate_per_s=0.0001, burst=5.0))
    with at_work(tmp_path / "store", Serving(site=site)) as found:
        yield found


def test_wrong_proofs_over_do_irp_have_a_limit(node: Secured) -> None:
    body = Elements(THING, (Value(index=77, type="NOTE", data=b"x"),))
    codes = [node.doirp(OpCode.ADD_ELEMENT, body, by_forger()).code for _ in range(7)]
    assert codes == [ResponseCode.AUTHEN_FAILED] * 5 + [ResponseCode.SERVER_BUSY] * 2
    # Busy as well for the right one from there; what needs no proof is answered.
    assert node.doirp(OpCode.ADD_ELEMENT, body, by_admin()).code == ResponseCode.SERVER_BUSY
    assert node.doirp(OpCode.RESOLUTION, Query(THING, (1,))).code == ResponseCode.SUCCESS
    assert not [record for record in node.held() if record.by_index(77) is not None]


def test_proofs_to_challenges_that_do_not_stand_use_up_nothing(node: Secured) -> None:
    """Else who forges the address of a datagram could shut out the network that lives there."""
    answer = ChallengeAnswer("HS_SECKEY", ADMIN, 300, b"guess")
    for number in range(1, 30):
        header = Header(OpCode.CHALLENGE_RESPONSE)
        octets = Message(Envelope(7, session=number), header, answer.encode()).encode()
        with socket.create_connection((node.host, node.doirp_port), timeout=30) as connection:
            connection.sendall(octets)
            assert decode_message(connection.recv(4_096)).header.response == ResponseCode.AUTHEN_TIMEOUT
    body = Elements(THING, (Value(index=78, type="NOTE", data=b"x"),))
    assert node.doirp(OpCode.ADD_ELEMENT, body, by_admin()).code == ResponseCode.SUCCESS


def test_a_flood_of_requests_that_need_a_proof_shuts_nobody_out(node: Secured) -> None:
    octets = Message(Envelope(7), Header(OpCode.CREATE_ID, flags=OpFlag.KC), Elements(f"{THING}-new", ()).encode())
    with socket.create_connection((node.host, node.doirp_port), timeout=30) as flooding:
        flooding.sendall(octets.encode() * 500)
        body = Elements(THING, (Value(index=79, type="NOTE", data=b"x"),))
        assert node.doirp(OpCode.ADD_ELEMENT, body, by_admin()).code == ResponseCode.SUCCESS
        front = flooding.recv(20, socket.MSG_WAITALL)
        rest = flooding.recv(int.from_bytes(front[16:], "big"), socket.MSG_WAITALL)
        assert decode_message(front + rest).header.response == ResponseCode.AUTHEN_NEEDED
