"""The shapes of a store by number and by kind, and their octets in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from xinji.use.identity.errors import Code
from xinji.use.identity.record import Value, decode_value, encode_value
from xinji.use.identity.shapes import MAX_SHAPES, Kind, Shape, join_parts, kind_of
from xinji.use.identity.wire import Cursor, u8, u16, u32

Expander = tuple[bytes, Callable[[Sequence[bytes]], tuple[bytes, ...]]]
"""Form and getter of a shape."""

RAW = b"\0\0"
"""Number of no shape: the record lies as it goes on the wire."""


class ShapeTable:
    """Shapes 1 to n in the order of their making; grows, never forgets."""

    def __init__(self, shapes: Iterable[Shape] = ()) -> None:
        self.shapes: list[Shape] = []
        self.expanders: dict[bytes, Expander] = {}
        self._by_kind: dict[Kind, list[tuple[bytes, Shape]]] = {}
        for shape in shapes:
            self.add(shape)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def full(self) -> bool:
        """Whether no further shape fits."""
        return len(self.shapes) >= MAX_SHAPES

    def knows(self, kind: Kind) -> bool:
        """Whether records of ``kind`` have a shape."""
        return kind in self._by_kind

    def add(self, shape: Shape) -> bytes:
        """Take in ``shape`` and return its number."""
        self.shapes.append(shape)
        number = u16(len(self.shapes))
        self.expanders[number] = (shape.form(), shape.getter())
        fitting = self._by_kind.setdefault(shape.kind, [])
        fitting.append((number, shape))
        fitting.sort(key=lambda pair: (pair[1].fixed.count(None), pair[1].moment is None, not pair[1].even))
        return number

    def forget(self, beyond: int) -> None:
        """Drop the shapes after the first ``beyond``: those of a transaction that came to nothing."""
        for number in range(beyond + 1, len(self.shapes) + 1):
            kind = self.shapes[number - 1].kind
            left = [pair for pair in self._by_kind[kind] if pair[0] != u16(number)]
            del self.expanders[u16(number)]
            if left:
                self._by_kind[kind] = left
            else:
                del self._by_kind[kind]
        del self.shapes[beyond:]

    def fit(self, kind: Kind, data: Sequence[bytes], moments: Sequence[int]) -> tuple[bytes, bytes] | None:
        """Return number and joined parts of the closest shape for values of ``kind``; see ``Shape.parts``.

        None where no shape holds them.
        """
        for number, shape in self._by_kind.get(kind, ()):
            parts = shape.parts(data, moments)
            if parts is not None and (joined := join_parts(parts)) is not None:
                return number, joined
        return None


def encode_shape(shape: Shape) -> bytes:
    """Return the octets of ``shape`` in the store: flags, and a value for each of its kind with the fixed data."""
    parts = [u8(shape.even), u32(shape.moment or 0), u32(len(shape.kind))]
    for (index, name, ttl_s, absolute, permissions, references), wide, data in zip(
        shape.kind, shape.wide, shape.fixed, strict=True
    ):
        value = Value(
            index=index,  # type: ignore[arg-type]  # the kind holds fields of a Value as objects
            type=name,  # type: ignore[arg-type]
            data=data or b"",
            ttl_s=ttl_s,  # type: ignore[arg-type]
            ttl_absolute=absolute,  # type: ignore[arg-type]
            permissions=permissions,  # type: ignore[arg-type]
            references=references,  # type: ignore[arg-type]
        )
        parts += [u8(wide), u8(data is not None), encode_value(value)]
    return b"".join(parts)


def decode_shape(octets: bytes) -> Shape:
    """Read what ``encode_shape`` writes; raises IdentifierError where a store is damaged."""
    cursor = Cursor(octets, code=Code.ERROR)
    even, moment = bool(cursor.u8()), cursor.u32() or None
    wide, fixed, values = [], [], []
    for _ in range(cursor.count(28)):
        wide.append(bool(cursor.u8()))
        known = bool(cursor.u8())
        values.append(decode_value(cursor))
        fixed.append(values[-1].data if known else None)
    cursor.done()
    return Shape(kind_of(values), tuple(wide), tuple(fixed), even=even, moment=moment)
