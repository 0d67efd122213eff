"""What the records add up to: tasks, queues, and guarantee K."""

from collections import Counter, OrderedDict
from zlib import crc32

from journal_bytes import Fields


class State:
    """Every task that is live or still known, and the sums of each queue."""

    def __init__(self, journal):
        self.journal = journal
        self.queues = {}
        self.tasks = {}
        self.finished = OrderedDict()
        self.groups = {}
        self.next_sequence = 1
        self.next_order = 1
        self.violations = []
        self._told = {}

    def broken(self, text):
        if len(self.violations) < 100:
            self.violations.append(text)

    # From a checkpoint.

    def restore(self, each):
        if each.type == 1:
            self.next_sequence = each.next_sequence
        elif each.type == 2:
            if each.queue != len(self.queues) + 1:
                self.broken(f"queue {each.queue} does not follow the one before it")
            self.queues[each.queue] = each
        elif each.type == 4:
            self._told[each.id] = each
        elif each.type == 5:
            self.finished[each.id] = each
            self._expect(each.span, each.id)

    def _expect(self, span, key):
        """A place that a checkpoint points to has a record of that task."""
        segment = self.journal.segments.get(span[0])
        if segment is None or segment.records.get(span[1], (0, 0))[0] != span[2]:
            return self.broken(f"no record of {span[2]} bytes at {span[1]} of segment {span[0]}")
        if segment.record(span[1])[0].id != key:
            self.broken(f"the record at {span[1]} of segment {span[0]} is of another task")
        return None

    def restore_payload(self, fields, span):
        if fields.type == 16:
            fields = fields.inner
        accepted = fields.edited if fields.type == 12 else fields
        if fields.type not in (4, 12) or accepted is None:
            return self.broken(f"a payload is said to be at {span}, and is not")
        task = self._new_task(accepted, span)
        told = self._told.pop(accepted.id, None)
        if told is not None:
            task.sequence, task.receives, task.history = told.sequence, told.receives, told.history
            task.standing, task.receipt, task.order = (
                told.standing.name, told.standing.receipt, told.standing.order)
            if told.history is not None:
                self._expect(told.history, accepted.id)
        return None

    def finish_restore(self):
        for key in self._told:
            self.broken(f"task {key.hex()} has no payload")
        for key, task in sorted(self.tasks.items(), key=lambda each: each[1].sequence):
            if task.standing != "dead":
                self._line(task)[key] = None
        self.next_order = 1 + max((task.order or 0 for task in self.tasks.values()), default=0)

    # Tasks and their lines.

    def _new_task(self, accepted, span):
        if accepted.id in self.tasks:
            self.broken(f"task {accepted.id.hex()} is there twice")
        if accepted.queue not in self.queues:
            self.broken(f"task {accepted.id.hex()} is on queue {accepted.queue}, which was never declared")
        task = Fields(queue=accepted.queue, group=accepted.group, sequence=accepted.sequence,
                      standing="pending", receives=0, receipt=None, payload=span, history=None, order=None,
                      payload_bytes=len(accepted.payload), payload_crc=crc32(accepted.payload))
        self.tasks[accepted.id] = task
        return task

    def _line(self, task):
        return self.groups.setdefault((task.queue, task.group), OrderedDict())

    def _leave(self, key, task):
        line = self._line(task)
        line.pop(key, None)
        if not line:
            del self.groups[(task.queue, task.group)]

    def _take_sequence(self, sequence):
        if sequence < self.next_sequence:
            self.broken(f"sequence {sequence} was given before")
        self.next_sequence = sequence + 1

    # Records.

    def apply(self, fields, lsn, span, time):
        getattr(self, "_" + fields.name_of_type.replace(" ", "_").replace("-", "_"))(fields, lsn, span)

    def _task(self, fields, lsn, *allowed):
        task = self.tasks.get(fields.id)
        if task is None:
            self.broken(f"LSN {lsn}: {fields.name_of_type} of task {fields.id.hex()}, which is not live")
            return None
        if allowed and task.standing not in allowed:
            what = f"{fields.name_of_type} of task {fields.id.hex()}"
            self.broken(f"LSN {lsn}: {what}, which is {task.standing}")
        receipt = getattr(fields, "receipt", None)
        if receipt is not None and receipt != task.receipt:
            self.broken(f"LSN {lsn}: {fields.name_of_type} with receipt {receipt}, not {task.receipt}")
        return task

    def _queue_declared(self, fields, lsn, span):
        known = self.queues.get(fields.queue)
        if known is None:
            if fields.queue != len(self.queues) + 1:
                self.broken(f"LSN {lsn}: queue {fields.queue} does not follow the one before it")
            self.queues[fields.queue] = Fields(
                queue=fields.queue, name=fields.name, accepted=0, completed=0, cancelled=0, purged=0,
                pauses=0, deleted=False)
        else:
            if known.name != fields.name:
                self.broken(f"LSN {lsn}: queue {known.name} is called {fields.name}")
            known.deleted = False

    def _queue_deleted(self, fields, lsn, span):
        if any(task.queue == fields.queue for task in self.tasks.values()):
            self.broken(f"LSN {lsn}: a queue with tasks was deleted")
        self.queues[fields.queue].deleted = True
        self.queues[fields.queue].pauses = 0

    def _queue_pause_changed(self, fields, lsn, span):
        self.queues[fields.queue].pauses = fields.pauses

    def _accepted(self, fields, lsn, span):
        self._take_sequence(fields.sequence)
        task = self._new_task(fields, span)
        self._line(task)[fields.id] = None
        if fields.queue in self.queues:
            self.queues[fields.queue].accepted += 1

    def _delivered(self, fields, lsn, span):
        task = self._task(fields, lsn, "pending")
        if task is None:
            return
        if next(iter(self._line(task)), None) != fields.id:
            self.broken(f"LSN {lsn}: delivered task {fields.id.hex()} is not the first of its group")
        task.standing, task.receipt = "leased", lsn
        task.receives += 1

    def _released(self, fields, lsn, span):
        task = self._task(fields, lsn, "leased")
        if task is not None:
            task.standing, task.receipt = "pending", None
            task.receives -= 0 if fields.counted else 1

    def _attempt_failed(self, fields, lsn, span):
        task = self._task(fields, lsn, "leased")
        if task is not None:
            task.standing, task.receipt, task.history = "pending", None, span

    def _parked(self, fields, lsn, span):
        task = self._task(fields, lsn, "leased")
        if task is not None:
            task.standing, task.receipt, task.history = "parked", None, span
            if fields.halts:
                self.queues[task.queue].pauses |= 4

    def _unparked(self, fields, lsn, span):
        task = self._task(fields, lsn, "parked")
        if task is not None:
            task.standing, task.receives = "pending", 0

    def _finish(self, fields, lsn, span, state, *allowed):
        task = self._task(fields, lsn, *allowed)
        if task is None:
            return
        self._leave(fields.id, task)
        del self.tasks[fields.id]
        queue = self.queues[task.queue]
        setattr(queue, state, getattr(queue, state) + 1)
        if fields.id in self.finished:
            self.broken(f"LSN {lsn}: task {fields.id.hex()} finished twice")
        self.finished[fields.id] = Fields(
            state=state, queue=task.queue, span=span, receipt=getattr(fields, "receipt", 0))

    def _completed(self, fields, lsn, span):
        self._finish(fields, lsn, span, "completed", "leased")

    def _cancelled(self, fields, lsn, span):
        self._finish(fields, lsn, span, "cancelled", "pending", "parked")

    def _dead_lettered(self, fields, lsn, span):
        task = self._task(fields, lsn, "pending", "leased", "parked")
        if task is not None:
            self._leave(fields.id, task)
            task.standing, task.receipt, task.history = "dead", None, span
            task.order = self.next_order
            self.next_order += 1

    def _redriven(self, fields, lsn, span):
        task = self._task(fields, lsn, "dead")
        if task is None:
            return
        self._take_sequence(fields.sequence)
        if fields.edited is not None:
            edited = fields.edited
            if (edited.id, edited.queue, edited.group) != (fields.id, task.queue, task.group):
                self.broken(f"LSN {lsn}: an edited task is another one")
            task.payload, task.payload_bytes = span, len(edited.payload)
            task.payload_crc = crc32(edited.payload)
        task.standing, task.receives, task.order, task.sequence = "pending", 0, None, fields.sequence
        self._line(task)[fields.id] = None

    def _purged(self, fields, lsn, span):
        task = self._task(fields, lsn, "dead")
        if task is not None:
            del self.tasks[fields.id]
            self.queues[task.queue].purged += 1

    def _history_forgotten(self, fields, lsn, span):
        for _ in range(min(fields.count, len(self.finished))):
            self.finished.popitem(last=False)

    def _moved(self, fields, lsn, span):
        task = self.tasks.get(fields.id)
        if fields.role == 1 and fields.id in self.finished:
            self.finished[fields.id].span = span
        elif task is None:
            self.broken(f"LSN {lsn}: moved task {fields.id.hex()} is not known")
        elif fields.role == 0:
            task.payload = span
            inner = fields.inner.edited if fields.inner.type == 12 else fields.inner
            if crc32(inner.payload) != task.payload_crc:
                self.broken(f"LSN {lsn}: the payload of task {fields.id.hex()} changed when it was moved")
        else:
            task.history = span

    # What they add up to.

    def sums(self):
        """Guarantee K, queue by queue."""
        counted = Counter((task.queue, task.standing) for task in self.tasks.values())
        sums = {}
        for number, queue in sorted(self.queues.items()):
            live = {name: counted[number, name] for name in ("pending", "leased", "parked", "dead")}
            ended = queue.completed + queue.cancelled + queue.purged
            sums[number] = {
                "queue": queue.name, "accepted": queue.accepted, **live, "completed": queue.completed,
                "cancelled": queue.cancelled, "purged": queue.purged, "deleted": bool(queue.deleted),
                "holds": queue.accepted == ended + sum(live.values())}
        return sums

    def broken_sums(self):
        return [f"queue {sums['queue']}: accepted {sums['accepted']} is not the sum of {sums}"
                for sums in self.sums().values() if not sums["holds"]]

    def differences(self, other):
        """Where two ways to the same end do not meet."""
        found = []
        if self.sums() != other.sums():
            found.append(f"the sums differ: {self.sums()} and {other.sums()}")
        for key in self.tasks.keys() | other.tasks.keys():
            own, theirs = (_meaning(state.tasks.get(key)) for state in (self, other))
            if own != theirs:
                found.append(f"task {key.hex()} differs: {own} and {theirs}")
        own, theirs = ([(key, each.state, each.span, each.receipt) for key, each in state.finished.items()]
                       for state in (self, other))
        if own != theirs:
            found.append("the finished tasks differ")
        if self._dying_order() != other._dying_order():
            found.append("the order of the dead differs")
        return found[:20]

    def _dying_order(self):
        dead = [(task.order, key) for key, task in self.tasks.items() if task.standing == "dead"]
        return [key for _, key in sorted(dead)]


def _meaning(task):
    return task and (task.queue, task.group, task.sequence, task.standing, task.receives, task.receipt,
                     task.payload, task.history, task.payload_crc)
