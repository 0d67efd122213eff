private import Journal
private import ServiceLog
private import TaskModel
private import TaskValidation

/// A journal's state in words and in JSON.
package enum JournalText {
    /// One line that says it, and what is wrong or worth knowing below.
    package static func verdict(_ inspection: JournalInspection) -> String {
        let verification = inspection.verification
        var lines = [headline(inspection)]
        let problems = problems(of: inspection)
        lines += problems.map { "damaged: \($0)" }
        lines += warnings(of: verification).map { "note: \($0)" }
        if let pid = inspection.ownerPID {
            lines.append(
                "note: process \(pid) has the journal open; what it wrote meanwhile may be missing here")
        }
        let records = verification.segments.reduce(0) { $0 + $1.records }
        let batches = verification.segments.reduce(0) { $0 + $1.batches }
        let good = verification.checkpoints.count { $0.isGood }
        lines.append(
            "read: \(verification.segments.count) segments, \(HumanText.count(UInt64(batches))) batches, "
                + "\(HumanText.count(UInt64(records))) records, "
                + "\(good) of \(verification.checkpoints.count) checkpoints good")
        return lines.map { TerminalText.escaped($0) + "\n" }.joined()
    }

    private static func headline(_ inspection: JournalInspection) -> String {
        guard inspection.isWhole, case .success(let report) = inspection.verification.recovery else {
            return "\(inspection.directory): damaged"
        }
        let end = report.wasSealed ? "sealed" : "not sealed"
        return "\(inspection.directory): whole up to LSN \(report.lastLSN.rawValue), \(end)"
    }

    private static func problems(of inspection: JournalInspection) -> [String] {
        var problems = inspection.verification.problems
        guard case .success = inspection.verification.recovery else { return problems }
        for queue in queues(of: inspection.census) where !queue.sumsHold {
            problems.append(
                "queue \(queue.name): \(queue.counters.accepted) accepted, but \(queue.live) live, "
                    + "\(queue.counters.completed) completed, \(queue.counters.cancelled) cancelled and "
                    + "\(queue.counters.purged) purged")
        }
        let contradictions = inspection.census.contradictions
        if contradictions > 0 { problems.append("\(contradictions) records contradict those before them") }
        return problems
    }

    private static func warnings(of verification: JournalVerification) -> [String] {
        guard case .success(let report) = verification.recovery else { return [] }
        return report.warnings.map { "\($0)" }
    }

    private static func queues(of census: JournalCensus) -> [JournalCensus.Queue] {
        census.queues.sorted { $0.key < $1.key }.map(\.value)
    }

    package static func statistics(_ inspection: JournalInspection) -> String {
        let verification = inspection.verification
        var text = verdict(inspection)
        if case .success(let report) = verification.recovery, let wall = report.lastWallTime {
            text += "last written \(LineFormats.timestamp(wall.rawValue)), journal time "
            text += HumanText.duration(milliseconds: report.lastJournalTime?.rawValue ?? 0) + "\n"
        }
        text += "\n" + segmentTable(verification) + "\n"
        if !verification.checkpoints.isEmpty { text += checkpointTable(verification) + "\n" }
        return text + queueTable(inspection.census) + "\n" + amplification(inspection)
    }

    private static func segmentTable(_ verification: JournalVerification) -> String {
        var table = TextTable([
            ("SEGMENT", .right), ("MADE", .right), ("USED", .right), ("BATCHES", .right), ("RECORDS", .right),
            ("LSN", .left), ("END", .left),
        ])
        for segment in verification.segments {
            let range = segment.firstLSN.flatMap { first in
                segment.lastLSN.map { "\(first.rawValue)-\($0.rawValue)" }
            }
            let end = segment.restIsZero ? (segment.endsInSeal ? "sealed" : "open") : "other bytes behind"
            table.add([
                "\(segment.number)", HumanText.bytes(UInt64(segment.madeBytes)),
                HumanText.bytes(UInt64(segment.validBytes)), HumanText.count(UInt64(segment.batches)),
                HumanText.count(UInt64(segment.records)), range ?? "-", segment.batches == 0 ? "empty" : end,
            ])
        }
        return table.render()
    }

    private static func checkpointTable(_ verification: JournalVerification) -> String {
        var table = TextTable([
            ("CHECKPOINT", .left), ("COVERS LSN", .right), ("LIVE TASKS", .right), ("SEGMENTS", .left),
            ("", .left),
        ])
        for checkpoint in verification.checkpoints {
            table.add([
                checkpoint.file, HumanText.count(checkpoint.covered.rawValue),
                HumanText.count(UInt64(checkpoint.livePayloads)),
                checkpoint.segments.map { "\($0)" }.joined(separator: " "),
                checkpoint.isGood ? "good" : "damaged",
            ])
        }
        return table.render()
    }

    private static func queueTable(_ census: JournalCensus) -> String {
        var table = TextTable([
            ("QUEUE", .left), ("ACCEPTED", .right), ("PENDING", .right), ("LEASED", .right),
            ("PARKED", .right), ("DEAD", .right), ("COMPLETED", .right), ("CANCELLED", .right),
            ("PURGED", .right), ("LIVE BYTES", .right), ("", .left),
        ])
        for queue in queues(of: census) {
            let numbers = [
                queue.counters.accepted, queue.pending, queue.leased, queue.parked, queue.dead,
                queue.counters.completed, queue.counters.cancelled, queue.counters.purged,
            ]
            let remarks = [queue.isDeleted ? "deleted" : "", queue.sumsHold ? "" : "sums do not hold"]
            table.add(
                [queue.name] + numbers.map { HumanText.count($0) }
                    + [
                        HumanText.bytes(queue.payloadBytes),
                        remarks.filter { !$0.isEmpty }.joined(separator: ", "),
                    ])
        }
        return table.render()
    }

    private static func amplification(_ inspection: JournalInspection) -> String {
        let (disk, live) = bytes(of: inspection)
        let times = live == 0 ? "" : ", \(tenths(disk, per: live)) times the live payloads"
        return
            "disk \(HumanText.bytes(disk))\(times); \(HumanText.count(inspection.census.finished)) finished "
            + "tasks known, \(HumanText.count(inspection.census.deduplicationKeys)) deduplication keys\n"
    }

    private static func bytes(of inspection: JournalInspection) -> (disk: UInt64, live: UInt64) {
        (
            inspection.verification.segments.reduce(0) { $0 + UInt64($1.madeBytes) },
            inspection.census.queues.values.reduce(0) { $0 &+ $1.payloadBytes }
        )
    }

    private static func tenths(_ number: UInt64, per unit: UInt64) -> String {
        let tenths = number * 10 / unit
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension JournalText {
    /// Everything that `verify` and `stat` know, the same for both.
    package static func json(_ inspection: JournalInspection) -> String {
        let verification = inspection.verification
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("directory", inspection.directory)
        writer.member("whole", inspection.isWhole)
        if let instance = verification.instance {
            writer.member("instance", String(instance.rawValue, radix: 16))
        }
        if let pid = inspection.ownerPID { writer.member("open_by_pid", pid) }
        switch verification.recovery {
        case .success(let report):
            writer.member("last_lsn", report.lastLSN.rawValue)
            writer.member("sealed", report.wasSealed)
            if let wall = report.lastWallTime {
                writer.member("last_written_at", LineFormats.timestamp(wall.rawValue))
            }
            if let time = report.lastJournalTime { writer.member("journal_time_ms", time.rawValue) }
        case .failure(.damaged(let damage)):
            writer.key("damage")
            write(damage, to: &writer)
        case .failure: break
        }
        write("problems", problems(of: inspection), to: &writer)
        write("warnings", warnings(of: verification), to: &writer)
        writeFiles(verification, to: &writer)
        writeQueues(inspection.census, to: &writer)
        let (disk, live) = bytes(of: inspection)
        writer.member("disk_bytes", disk)
        writer.member("live_payload_bytes", live)
        writer.member("finished_known", inspection.census.finished)
        writer.member("deduplication_keys", inspection.census.deduplicationKeys)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func write(_ name: String, _ texts: [String], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for text in texts { writer.string(text) }
        writer.endArray()
    }

    private static func write(_ damage: JournalDamage, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("what", damage.kind.text)
        writer.member("segment", damage.segment)
        writer.member("offset", damage.offset)
        writer.member("first_lsn", damage.firstLSN.rawValue)
        if let last = damage.lastLSN { writer.member("last_lsn", last.rawValue) }
        write("known_tasks", damage.knownTasks.map { "\($0)" }, to: &writer)
        writer.endObject()
    }

    private static func writeFiles(_ verification: JournalVerification, to writer: inout JSONWriter) {
        writer.key("segments")
        writer.beginArray()
        for segment in verification.segments {
            writer.beginObject()
            writer.member("number", segment.number)
            writer.member("made_bytes", segment.madeBytes)
            writer.member("used_bytes", segment.validBytes)
            writer.member("batches", segment.batches)
            writer.member("records", segment.records)
            if let first = segment.firstLSN { writer.member("first_lsn", first.rawValue) }
            if let last = segment.lastLSN { writer.member("last_lsn", last.rawValue) }
            writer.member("sealed", segment.endsInSeal)
            writer.member("rest_is_zero", segment.restIsZero)
            writer.endObject()
        }
        writer.endArray()
        writer.key("checkpoints")
        writer.beginArray()
        for checkpoint in verification.checkpoints {
            writer.beginObject()
            writer.member("file", checkpoint.file)
            writer.member("covered_lsn", checkpoint.covered.rawValue)
            writer.member("good", checkpoint.isGood)
            writer.member("live_payloads", checkpoint.livePayloads)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func writeQueues(_ census: JournalCensus, to writer: inout JSONWriter) {
        writer.key("queues")
        writer.beginArray()
        for queue in queues(of: census) {
            writer.beginObject()
            writer.member("name", queue.name)
            writer.member("accepted", queue.counters.accepted)
            writer.member("pending", queue.pending)
            writer.member("leased", queue.leased)
            writer.member("parked", queue.parked)
            writer.member("dead", queue.dead)
            writer.member("completed", queue.counters.completed)
            writer.member("cancelled", queue.counters.cancelled)
            writer.member("purged", queue.counters.purged)
            writer.member("live_payload_bytes", queue.payloadBytes)
            writer.member("deleted", queue.isDeleted)
            writer.member("sums_hold", queue.sumsHold)
            writer.endObject()
        }
        writer.endArray()
    }
}
