import BinaryCoding
import TaskModel

extension ByteWriter {
    mutating func write(_ contents: JournalContents) {
        write(contents.instance.rawValue)
        write(contents.lastLSN.rawValue)
        writePrefixed(contents.checkpoint ?? "")
        writeVariable(UInt64(contents.segments.count))
        for segment in contents.segments {
            writeVariable(UInt64(segment.number))
            writeVariable(UInt64(segment.madeBytes))
            writeVariable(UInt64(segment.endBytes))
        }
    }
}

extension ByteReader {
    mutating func readJournalContents() throws(DecodingFailure) -> JournalContents {
        let instance = JournalInstance(rawValue: try read())
        let lastLSN = LogSequenceNumber(rawValue: try read())
        let checkpoint = try readText(maximum: Limits.fileNameBytesMax)
        let count = try readVariable()
        guard count <= UInt64(remaining / 3) else { throw .truncated }
        var segments: [JournalContents.Segment] = []
        segments.reserveCapacity(Int(count))
        for _ in 0..<count {
            segments.append(
                JournalContents.Segment(
                    number: try readNarrow(), madeBytes: Int(try readNarrow() as UInt32),
                    endBytes: Int(try readNarrow() as UInt32)))
        }
        return JournalContents(
            instance: instance, lastLSN: lastLSN, checkpoint: checkpoint.isEmpty ? nil : checkpoint,
            segments: segments)
    }
}
