"""Integers, checksums and records as docs/journal-format.md writes them."""

import struct


class Malformed(Exception):
    """Bytes that break a rule of the format."""


def _tables():
    single = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        single.append(value)
    # Two bytes a step: what one byte leaves, taken through the next.
    return single, [(single[value & 0xFF] >> 8) ^ single[(single[value & 0xFF] & 0xFF) ^ (value >> 8)]
                    for value in range(65536)]


_ONE, _TWO = _tables()


def crc(seed, data):
    """CRC-32C of `data`, going on from the checksum `seed`."""
    value = ~seed & 0xFFFFFFFF
    view = memoryview(data)
    even = len(view) & ~1
    for pair in struct.unpack(f"<{even // 2}H", view[:even]):
        value = (value >> 16) ^ _TWO[(value ^ pair) & 0xFFFF]
    if even < len(view):
        value = (value >> 8) ^ _ONE[(value ^ view[even]) & 0xFF]
    return ~value & 0xFFFFFFFF


def u32(value):
    return struct.pack("<I", value)


def chain(checksum, value):
    return crc(checksum, u32(value))


class Reader:
    """Takes a body apart, field by field."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Malformed("a field ends behind the body")
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self, allowed=None):
        value = self.take(1)[0]
        if allowed is not None and value not in allowed:
            raise Malformed(f"{value} is none of the values {allowed}")
        return value

    def integer(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self, bits=64):
        value = shift = 0
        while True:
            if shift == 70:
                raise Malformed("a varint of more than ten bytes")
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        if value >> bits:
            raise Malformed(f"{value} is more than {bits} bits")
        return value

    def bytes(self):
        return bytes(self.take(self.varint()))

    def text(self):
        try:
            return self.bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None

    def flag(self):
        return self.byte((0, 1)) == 1

    def id(self):
        return bytes(self.take(16))

    def queue(self):
        return self.varint(16)

    def span(self):
        """Segment, offset, length; None for none."""
        segment = self.varint(32)
        return (segment, self.varint(32), self.varint(32)) if segment else None

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes left over")

    def extra_fields(self):
        length = self.varint()
        if length > len(self.data) - self.at:
            raise Malformed("extra fields end behind the body")
        end = self.at + length
        while self.at < end:
            tag = self.varint()
            if tag & 1:
                raise Malformed(f"unknown field {tag} that must be understood")
            self.bytes()
        if self.at != end:
            raise Malformed("an extra field ends behind the others")


class Fields:
    """A decoded body: whatever was set on it."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


def settings(reader):
    reader.varint()
    reader.varint(32)
    reader.byte((0, 1, 2))
    reader.byte((0, 1))
    for _ in range(5):
        reader.varint()
    reader.varint(32)
    reader.varint()


def pauses(reader):
    return reader.byte(range(8))


def summary(reader):
    return Fields(queue=reader.queue(), sequence=reader.varint(), group=reader.text(), wall=reader.varint(),
                  receives=reader.varint(32), history=reader.bytes())


def deduplication(reader):
    return Fields(key=bytes(reader.take(16)), content=bytes(reader.take(16)), expires=reader.varint())


def accepted(reader):
    flags = reader.byte(range(8))
    task = Fields(queue=reader.queue(), id=reader.id(), sequence=reader.varint(), group="", entry=None)
    if flags & 1:
        task.group = reader.text()
    if flags & 2:
        task.entry = deduplication(reader)
    if flags & 4:
        reader.bytes()
    task.payload = reader.rest()
    return task


def _moved(reader):
    moved = Fields(id=reader.id(), role=reader.byte((0, 1)), original=reader.rest())
    if not moved.original or moved.original[0] & 0x7F == 16:
        raise Malformed("a moved record without an original")
    moved.inner = record(moved.original[0], moved.original[1:])
    if moved.inner.id != moved.id:
        raise Malformed("a moved record of another task")
    return moved


def _redriven(reader):
    fields = Fields(id=reader.id(), sequence=reader.varint(), edited=None)
    if reader.flag():
        fields.edited = accepted(reader)
    return fields


_BODIES = {
    1: ("queue declared", lambda r: Fields(queue=r.queue(), name=r.text(), settings=settings(r))),
    2: ("queue deleted", lambda r: Fields(queue=r.queue())),
    3: ("queue pause changed",
        lambda r: Fields(queue=r.queue(), pauses=pauses(r), actor=r.text(), reason=r.text())),
    4: ("accepted", accepted),
    5: ("delivered", lambda r: Fields(id=r.id(), session=r.integer(8), wall=r.varint(), worker=r.text())),
    6: ("released", lambda r: Fields(id=r.id(), receipt=r.varint(), counted=r.flag())),
    7: ("attempt failed",
        lambda r: Fields(id=r.id(), receipt=r.varint(), backoff=r.varint(), history=r.rest())),
    8: ("completed", lambda r: Fields(id=r.id(), receipt=r.varint(), summary=summary(r), error=r.text(),
                                      result=r.rest())),
    9: ("dead-lettered", lambda r: Fields(id=r.id(), reason=r.byte(range(4)), summary=summary(r))),
    10: ("parked", lambda r: Fields(id=r.id(), halts=r.flag(), history=r.rest())),
    11: ("unparked", lambda r: Fields(id=r.id())),
    12: ("redriven", _redriven),
    13: ("cancelled", lambda r: Fields(id=r.id(), actor=r.text(), summary=summary(r))),
    14: ("purged", lambda r: Fields(id=r.id())),
    15: ("history forgotten", lambda r: Fields(count=r.varint(32), newest=r.varint())),
    16: ("moved", _moved),
}


def record(code, body):
    """Decodes a record; `type` and `name` say which it is."""
    reader = Reader(body)
    if code & 0x80:
        reader.extra_fields()
    if code & 0x7F not in _BODIES:
        raise Malformed(f"unknown record type {code & 0x7F}")
    name, decode = _BODIES[code & 0x7F]
    fields = decode(reader)
    reader.end()
    fields.type, fields.name_of_type = code & 0x7F, name
    return fields


def _standing(reader):
    code = reader.byte(range(5))
    state = Fields(name=("pending", "pending", "leased", "parked", "dead")[code], receipt=None, order=None)
    if code == 1:
        reader.varint()
    elif code == 2:
        state.receipt = reader.varint()
        reader.integer(8)
        reader.varint()
        reader.text()
    elif code == 4:
        reader.byte(range(4))
        state.order = reader.varint()
    return state


_SNAPSHOTS = {
    1: lambda r: Fields(next_sequence=r.varint(), next_queue=r.queue(), newest=r.varint()),
    2: lambda r: Fields(queue=r.queue(), name=r.text(), settings=settings(r), accepted=r.varint(),
                        completed=r.varint(), cancelled=r.varint(), purged=r.varint(), pauses=pauses(r),
                        actor=r.text(), reason=r.text(), deleted=r.flag()),
    3: lambda r: Fields(first=r.varint(), time=r.varint()),
    4: lambda r: Fields(id=r.id(), sequence=r.varint(), receives=r.varint(32), releases=r.byte(),
                        standing=_standing(r), history=r.span()),
    5: lambda r: Fields(id=r.id(), state=("completed", "cancelled")[r.byte((0, 1))], time=r.varint(),
                        queue=r.queue(), receipt=r.varint(), span=r.span()),
    6: lambda r: Fields(queue=r.queue(), entry=deduplication(r), id=r.id(), sequence=r.varint()),
}


def snapshot(data):
    reader = Reader(data)
    code = reader.byte()
    if code & 0x80:
        reader.extra_fields()
    if code & 0x7F not in _SNAPSHOTS:
        raise Malformed(f"unknown snapshot record type {code & 0x7F}")
    fields = _SNAPSHOTS[code & 0x7F](reader)
    reader.end()
    fields.type = code & 0x7F
    return fields
