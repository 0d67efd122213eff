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
}
