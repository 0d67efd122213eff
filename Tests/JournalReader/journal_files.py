"""Segments and checkpoints: which bytes are valid, and in which order the records stand."""

import os
import re
import struct

from journal_bytes import Fields, Malformed, Reader, chain, crc, record, snapshot, u32

SEGMENT_MAGIC = b"taskqseg"
CHECKPOINT_MAGIC = b"taskqcpt"


class Damage(Exception):
    """The journal is not one that may be used."""


def segment_name(number):
    return f"{number:016x}.segment"


class Segment:
    """A segment file with every batch that stands at its beginning without a gap."""

    def __init__(self, folder, number):
        self.number, self.name = number, segment_name(number)
        with open(os.path.join(folder, self.name), "rb") as file:
            self.data = file.read()
        head = self.data[:64]
        checksum = int.from_bytes(head[60:], "little")
        if len(head) < 64 or head[:8] != SEGMENT_MAGIC or crc(0, head[:60]) != checksum:
            raise Damage(f"{self.name} has no valid header")
        version, named, self.instance, self.made = struct.unpack_from("<IIQQ", head, 8)
        if version != 1:
            raise Damage(f"{self.name} is of version {version}")
        if named != number:
            raise Damage(f"{self.name} is segment {named}")
        if len(self.data) > self.made:
            raise Damage(f"{self.name} is longer than it was made")
        self.is_short = len(self.data) < self.made
        self.data = memoryview(self.data + bytes(self.made - len(self.data)))
        low, high = struct.pack("<Q", self.instance)[:4], struct.pack("<Q", self.instance)[4:]
        self.seed = crc(crc(crc(crc(0, b"\x6B\x73\x61\x71"), low), high), u32(number))
        self.batches = []
        self.by_offset = {}
        at = 64
        while (batch := self.batch(at)) is not None:
            self.batches.append(batch)
            self.by_offset[at] = batch
            at = batch.end
        self.end = at
        self.records = {}
        for batch in self.batches:
            self._index(batch)

    def batch(self, at):
        """The valid batch that begins at `at`, or None."""
        if at + 64 > self.made:
            return None
        (checksum, length, counted, number, first, watermark, time, boot, wall,
         boot_id) = struct.unpack_from("<IIIIQQQQQQ", self.data, at)
        if length < 64 or at + length > self.made or number != self.number:
            return None
        kind, records = counted >> 24, counted & 0xFFFFFF
        if kind not in (0, 1, 2) or (kind == 0) != (records > 0):
            return None
        if (kind == 1 and length != 64) or (kind == 2 and length != 72):
            return None
        if watermark >= first or first >= 2 ** 63 - 1:
            return None
        if crc((~self.seed & 0xFFFFFFFF) ^ at, self.data[at + 4:at + length]) != checksum:
            return None
        target = int.from_bytes(self.data[at + 64:at + 68], "little") if kind == 2 else None
        return Fields(at=at, end=at + length, checksum=checksum, kind=kind, count=records, first=first,
                      watermark=watermark, time=time, target=target, next=first + records)

    def _index(self, batch):
        """Finds the batch's records by their places; each has its own checksum."""
        at = batch.at + 64
        for _ in range(batch.count):
            if at + 8 > batch.end:
                raise Damage(f"{self.name}: the batch at {batch.at} ends within a record")
            checksum, word = struct.unpack_from("<II", self.data, at)
            length = 8 + (word & 0xFFFFFF)
            if at + length > batch.end:
                raise Damage(f"{self.name}: the record at {at} ends behind its batch")
            if crc(self.seed ^ at, self.data[at + 4:at + length]) != checksum:
                raise Damage(f"{self.name}: the record at {at} fails its own checksum")
            self.records[at] = (length, word >> 24)
            at += length
        if batch.count and at != batch.end:
            raise Damage(f"{self.name}: the batch at {batch.at} has more than its records")

    def record(self, at):
        length, code = self.records[at]
        try:
            return record(code, self.data[at + 8:at + length]), length
        except Malformed as error:
            raise Damage(f"{self.name}: the record at {at} cannot be read: {error}") from None

    def rest(self, lsn):
        """None if only zeros follow the batches, else what follows."""
        rest = bytes(self.data[self.end:])
        if rest.count(0) == len(rest):
            return None
        number = u32(self.number)
        at = rest.find(number, 12)
        while at >= 0:
            batch = self.batch(self.end + at - 12)
            if batch is not None and batch.first >= lsn:
                return Fields(batch=batch)
            at = rest.find(number, at + 1)
        return Fields(batch=None)


class Checkpoint:
    """One good checkpoint."""

    def __init__(self, folder, name):
        self.name = name
        with open(os.path.join(folder, name), "rb") as file:
            self.data = memoryview(file.read())
        covered, ordinal = (int(part, 16) for part in name.split("-")[1:])
        head = self.data[:80]
        checksum = int.from_bytes(head[76:80], "little")
        if len(head) < 80 or head[:8] != CHECKPOINT_MAGIC or crc(0, head[:76]) != checksum:
            raise Malformed("no valid header")
        (version, own_ordinal, self.instance, self.covered) = struct.unpack_from("<IIQQ", head, 8)
        if version != 1:
            raise Damage(f"{name} is of version {version}")
        self.segment, self.offset = struct.unpack_from("<II", head, 64)
        if (self.covered, own_ordinal) != (covered, ordinal):
            raise Malformed("another checkpoint than the name says")
        self.seed = crc(0xC4EC4901, struct.pack("<QQQ", self.instance, covered, ordinal))
        self.snapshots, self.live, self.facts = [], {}, []
        self._read_blocks()

    def _read_blocks(self):
        at, number, chained = 80, 0, 0
        live = 0
        while True:
            if at + 12 > len(self.data):
                raise Malformed("no footer")
            checksum, length, kind = struct.unpack_from("<IIB", self.data, at)
            payload = self.data[at + 12:at + 12 + length]
            if len(payload) != length:
                raise Malformed("a block is cut short")
            if crc(chain(self.seed, number), self.data[at + 4:at + 12 + length]) != checksum:
                raise Malformed(f"block {number} fails its checksum")
            at += 12 + length
            if kind == 4:
                break
            chained = chain(chained, checksum)
            number += 1
            if kind == 1:
                self._read_snapshots(Reader(payload))
            elif kind == 2:
                live += self._read_places(Reader(payload))
            elif kind == 3:
                reader = Reader(payload)
                while reader.at < length:
                    self.facts.append(Fields(
                        number=reader.varint(32), made=reader.varint(), end=reader.varint(),
                        chain=reader.integer(4), last=reader.varint()))
            else:
                raise Malformed(f"a block of kind {kind}")
        if at != len(self.data) or length != 24:
            raise Malformed("the footer is not the end")
        if struct.unpack("<IIQQ", payload) != (number, chained, len(self.snapshots), live):
            raise Malformed("the footer counts otherwise")

    def _read_snapshots(self, reader):
        while reader.at < len(reader.data):
            self.snapshots.append(snapshot(reader.take(reader.varint())))

    def _read_places(self, reader):
        places = self.live.setdefault(reader.varint(32), [])
        place = 0
        before = len(places)
        while reader.at < len(reader.data):
            place += reader.varint(32)
            places.append(place)
        return len(places) - before

    def restore(self, state):
        """Gives the state what the checkpoint says; returns where replay begins."""
        journal = state.journal
        for each in self.snapshots:
            state.restore(each)
        for fact in self.facts:
            self._check(journal, fact)
        for number in sorted(self.live):
            for at in self.live[number]:
                segment = journal.segments.get(number)
                if segment is None or at not in segment.records:
                    raise Damage(f"{self.name} points to {at} in segment {number}, where no record begins")
                fields, length = segment.record(at)
                state.restore_payload(fields, (number, at, length))
        state.finish_restore()
        if self.segment not in [fact.number for fact in self.facts]:
            raise Damage(f"{self.name} does not list segment {self.segment}, which it ends in")
        return self.segment, self.offset, self.covered + 1

    def _check(self, journal, fact):
        segment = journal.segments.get(fact.number)
        if segment is None:
            raise Damage(f"{self.name} lists segment {fact.number}, which is not there")
        if segment.made != fact.made:
            raise Damage(f"{segment.name} was made with another length than {self.name} says")
        chained, at, lsn = 0, 64, None
        while at < fact.end:
            batch = segment.by_offset.get(at)
            if batch is None:
                raise Damage(f"{segment.name}: no valid batch at {at}, which {self.name} covers")
            if lsn not in (None, batch.first):
                raise Damage(f"{segment.name}: LSN {batch.first} at {at}, not {lsn}")
            chained, at, lsn = chain(chained, batch.checksum), batch.end, batch.next
        if at != fact.end or chained != fact.chain:
            raise Damage(f"{segment.name}: not the batches that {self.name} was made from")


class Journal:
    """The files of one directory."""

    def __init__(self, folder):
        names = sorted(os.listdir(folder))
        self.violations, self.notes = [], []
        numbers = [int(name[:16], 16) for name in names if re.fullmatch(r"[0-9a-f]{16}\.segment", name)]
        self.checkpoint_names = [name for name in names
                                 if re.fullmatch(r"checkpoint-[0-9a-f]{16}-[0-9a-f]{8}", name)]
        instances = [int(name[9:], 16) for name in names if re.fullmatch(r"instance-[0-9a-f]{16}", name)]
        if not numbers:
            if instances or self.checkpoint_names:
                raise Damage("there is no segment, but there was a journal")
            raise FileNotFoundError(f"there is no journal in {folder}")
        self.segments = {number: Segment(folder, number) for number in numbers}
        self.instance = self.segments[numbers[0]].instance
        for segment in self.segments.values():
            if segment.instance != self.instance:
                raise Damage(f"{segment.name} is of another journal")
        if any(instance != self.instance for instance in instances):
            raise Damage("an instance file names another journal")
        self.good = []
        self._read_checkpoints(folder)

    def _read_checkpoints(self, folder):
        for name in reversed(self.checkpoint_names[-2:]):
            try:
                checkpoint = Checkpoint(folder, name)
            except Malformed as error:
                self.notes.append(f"{name} is bad: {error}")
                continue
            if checkpoint.instance != self.instance:
                raise Damage(f"{name} is of another journal")
            self.good.append(checkpoint)
        if not self.good and len(self.checkpoint_names) > 1:
            raise Damage("no checkpoint is good")

    def starts(self):
        """Where the state can be had from: good checkpoints, newest first, then None for the first record."""
        if self._reaches_back():
            return self.good + [None]
        if not self.good:
            raise Damage("no checkpoint, and segment 1 is not there")
        return list(self.good)

    def _reaches_back(self):
        """Whether every segment from the first on is there: only then nothing was deleted."""
        number = 1
        while number in self.segments:
            batches = self.segments[number].batches
            if not batches or batches[-1].target is None:
                return not self.good or number >= self.good[0].segment
            number = batches[-1].target
        return not self.good

    def walk(self, number, at, lsn, apply):
        """Gives every record from a place on to `apply`; returns where and how the journal ends."""
        sealed, notes = True, []
        segment = self.segments[number]
        while (batch := segment.by_offset.get(at)) is not None:
            if batch.first != lsn:
                raise Damage(f"{segment.name}: LSN {batch.first} at {at}, not {lsn}")
            place = at + 64
            for _ in range(batch.count):
                fields, length = segment.record(place)
                apply(fields, lsn, (segment.number, place, length), batch.time)
                place, lsn = place + length, lsn + 1
            at, sealed = batch.end, batch.kind != 0
            if batch.target is None:
                continue
            if batch.target not in self.segments or batch.target <= segment.number:
                raise Damage(f"{segment.name} hands over to segment {batch.target}, which is not there")
            if segment.by_offset.get(at) is not None:
                raise Damage(f"{segment.name} has a batch behind its handover")
            if segment.is_short:
                raise Damage(f"{segment.name} is shorter than it was made")
            if segment.rest(lsn) is not None:
                notes.append(f"{segment.name}: stray bytes behind its handover")
            segment, at = self.segments[batch.target], 64
        self._look_behind(segment, lsn, notes)
        return Fields(lsn=lsn, sealed=sealed, segment=segment.number, offset=at, notes=notes)

    def _look_behind(self, last, lsn, notes):
        """Nothing valid may stand behind the end."""
        for segment in self.segments.values():
            if segment.number > last.number and segment.batches:
                raise Damage(f"{segment.name} has batches, but {last.name} does not hand over to it; "
                             f"LSN {lsn} should come at {last.end} of {last.name}")
            if segment.number < last.number:
                continue
            rest = segment.rest(lsn)
            if rest is not None and rest.batch is not None:
                raise Damage(f"{segment.name}: bytes at {segment.end} are no batch, but a valid one stands "
                             f"behind them at {rest.batch.at}: LSNs from {lsn} on are damaged")
            if rest is not None:
                notes.append(f"{segment.name}: torn end at {segment.end}")
            if segment.is_short:
                notes.append(f"{segment.name}: shorter than it was made")

    def evidence_against(self, end):
        """A checkpoint's name shows what was durable."""
        covered = max((int(name.split("-")[1], 16) for name in self.checkpoint_names), default=0)
        if end is not None and covered >= end.lsn:
            return [f"a checkpoint covers LSN {covered}, but the journal ends before {end.lsn}"]
        return []
