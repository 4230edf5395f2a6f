"""Messages in parts over UDP: cut to datagrams and put together again (RFC 3652, sections 2.1.2 and 2.3)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

from xinji.use.identity.doirp.codes import ENVELOPE_OCTETS, UDP_OCTETS, EnvelopeFlag
from xinji.use.identity.doirp.message import decode_envelope, malformed

PART_OCTETS = UDP_OCTETS - ENVELOPE_OCTETS
"""What a datagram carries behind its envelope [octets]."""


def split(octets: bytes) -> list[bytes]:
    """Return the datagrams for the message in ``octets``.

    Each part has the truncation flag, its number and, as DO-IRP v3.0 and Handle.Net have it, the length
    of the whole message (RFC 3652, section 2.3, would have that of the part; see ``Assembly``).
    """
    if len(octets) <= UDP_OCTETS:
        return [octets]
    envelope, tail = decode_envelope(octets), octets[ENVELOPE_OCTETS:]
    flagged = replace(envelope, flags=envelope.flags | EnvelopeFlag.TRUNCATED)
    starts = range(0, len(tail), PART_OCTETS)
    return [
        replace(flagged, sequence=number).encode() + tail[start : start + PART_OCTETS]
        for number, start in enumerate(starts)
    ]


@dataclass(slots=True)
class Parts:
    """The parts of one message that have come; ``length`` is that of the whole, 0 while unknown."""

    until_s: float
    length: int
    found: dict[int, bytes] = field(default_factory=dict)
    octets: int = 0


@dataclass(slots=True)
class Assembly:
    """Puts messages together; what stays incomplete is dropped after ``patience_s`` or when it grows too much.

    ``most`` messages of at most ``most_octets`` each are held. A sender that writes the length of each
    part into its envelope (RFC 3652, section 2.3) is understood if its last part is shorter than the others.
    """

    most: int = 256
    most_octets: int = 65_536
    patience_s: float = 5.0
    clock: Callable[[], float] = time.monotonic
    waiting: OrderedDict[Hashable, Parts] = field(default_factory=OrderedDict)

    def add(self, sender: Hashable, datagram: bytes) -> bytes | None:
        """Return the whole message that ``datagram`` completes, None if parts are missing.

        A message that was never cut is returned as it is. Raises IdentifierError for a part that cannot be one.
        """
        envelope = decode_envelope(datagram)
        part = datagram[ENVELOPE_OCTETS:]
        whole = envelope.length == len(part) and envelope.sequence == 0 and len(part) < PART_OCTETS
        # Some senders never set the flag: a full datagram of a longer message, or a later one, is a part too.
        later = envelope.length > len(part) and (len(part) == PART_OCTETS or envelope.sequence > 0)
        if whole or not (envelope.flags & EnvelopeFlag.TRUNCATED or later):
            return replace(envelope, flags=envelope.flags & ~EnvelopeFlag.TRUNCATED).encode() + part
        total = 0 if envelope.length == len(part) else envelope.length
        if total > self.most_octets or envelope.sequence * PART_OCTETS >= self.most_octets or not part:
            raise malformed("envelope", f"a message in parts is longer than {self.most_octets} octets")
        key = (sender, envelope.session, envelope.request)
        parts = self._parts(key, total)
        if envelope.sequence not in parts.found:
            parts.found[envelope.sequence] = part
            parts.octets += len(part)
        tail = self._joined(parts)
        if tail is None:
            return None
        del self.waiting[key]
        flags = envelope.flags & ~EnvelopeFlag.TRUNCATED
        return replace(envelope, flags=flags, sequence=0, length=len(tail)).encode() + tail

    def _parts(self, key: Hashable, total: int) -> Parts:
        now = self.clock()
        while self.waiting and next(iter(self.waiting.values())).until_s < now:
            self.waiting.popitem(last=False)
        parts = self.waiting.get(key)
        if parts is None or parts.length != total:
            if parts is None and len(self.waiting) >= self.most:
                self.waiting.popitem(last=False)
            parts = self.waiting[key] = Parts(now + self.patience_s, total)
        return parts

    def _joined(self, parts: Parts) -> bytes | None:
        last = max(parts.found)
        if len(parts.found) != last + 1:
            return None
        if parts.length:
            complete = parts.octets == parts.length
        else:
            complete = last > 0 and len(parts.found[last]) < len(parts.found[0])
        return b"".join(parts.found[number] for number in range(last + 1)) if complete else None
