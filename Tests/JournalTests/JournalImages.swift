import Glibc
import TaskModel

@testable import Journal

extension SimulatedDisk {
    var segmentNames: [String] { names.filter { $0.hasSuffix(".segment") } }
    var checkpointNames: [String] { names.filter { $0.hasPrefix("checkpoint-") } }

    /// Changes one batch as a writer with other ideas would: its checksum is true afterwards.
    func rewriteBatch(of name: String, at offset: Int, _ change: (inout [UInt8]) -> Void) {
        var bytes = contents(name)
        var version: UInt32 = 0
        guard case .segment(let number) = JournalName(name),
            let header = bytes.withUnsafeBytes({ SegmentHeader($0, version: &version) })
        else { return }
        let length = bytes[(offset + 4)..<(offset + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
        var batch = Array(bytes[offset..<offset + length])
        change(&batch)
        let seed = SegmentSeed(instance: header.instance, segment: number).batch(at: offset)
        let crc = batch.withUnsafeBytes {
            Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[4...]), seed: seed)
        }
        for index in 0..<4 { batch[index] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * index)) }
        bytes.replaceSubrange(offset..<offset + length, with: batch)
        overwrite(name, with: bytes)
    }

    /// Writes the disk's files into a folder of the file system, which is made.
    func copy(to directory: String) throws {
        let storage = FileStorage(directory: directory)
        _ = try storage.lock()
        for name in names {
            let file = try storage.create(name)
            try contents(name).withUnsafeBytes { try file.writeFully($0, at: 0) }
        }
    }

    /// Puts an extra field before the body of the only record of the journal's last batch.
    func addField(tag: UInt8, value: [UInt8], toRecordAt span: RecordSpan) {
        let name = JournalName.segmentFile(number: span.segment)
        var bytes = contents(name)
        let instance = JournalInstance(rawValue: bytes.withUnsafeBytes { $0.loadLittle(UInt64.self, at: 16) })
        let seed = SegmentSeed(instance: instance, segment: span.segment)
        let (record, batch) = (Int(span.offset), Int(span.offset) - BatchHeader.bytes)
        let field = [tag, UInt8(value.count)] + value
        let body = [UInt8(field.count)] + field + bytes[(record + 8)..<(record + Int(span.length))]
        func put(_ value: UInt32, at place: Int) {
            for index in 0..<4 {
                bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
            }
        }
        func checksum(_ range: Range<Int>, _ seed: UInt32) -> UInt32 {
            bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[range]), seed: seed) }
        }
        let end = record + 8 + body.count
        let type = UInt32(bytes[record + 7] | ExtraFields.flag)
        bytes.replaceSubrange((record + 8)..<end, with: body)
        put(UInt32(body.count) | type << 24, at: record + 4)
        put(checksum((record + 4)..<end, seed.record(at: record)), at: record)
        put(UInt32(end - batch), at: batch + 4)
        put(checksum((batch + 4)..<end, seed.batch(at: batch)), at: batch)
        overwrite(name, with: bytes)
    }
}
