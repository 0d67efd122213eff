import BinaryCoding
import TaskModel
import TestSupport
import Testing

@testable import Journal

@Suite struct RecordCodecTests {
    private func encoded(_ record: JournalRecord) -> (type: UInt8, body: [UInt8]) {
        var buffer = EncodingBuffer(capacity: 64)
        let type = buffer.putBody(of: record)
        return (type.rawValue, Array(buffer.bytes))
    }

    private func decoded(_ body: [UInt8], type: UInt8) -> Result<JournalRecord, DecodingFailure> {
        body.withUnsafeBufferPointer { bytes in
            var reader = BodyReader(UnsafeRawBufferPointer(bytes), in: body, at: 0)
            do throws(DecodingFailure) {
                return .success(try reader.readRecord(type: type))
            } catch {
                return .failure(error)
            }
        }
    }

    @Test(arguments: 1...16) func everyRecordComesBackAsItWasEncoded(kind: Int) {
        var random = SeededGenerator(announcedAs: "record kind \(kind)", seed: 11)
        for _ in 0..<200 {
            let record = random.record(kind: kind)
            let (type, body) = encoded(record)
            #expect(type == UInt8(kind))
            #expect(decoded(body, type: type) == .success(record))
        }
    }

    @Test(arguments: 1...16) func aBodyCutShortIsAnErrorOrAnotherRecordAndNeverATrap(kind: Int) {
        var random = SeededGenerator(announcedAs: "cut kind \(kind)", seed: 12)
        let record = random.record(kind: kind)
        let (type, body) = encoded(record)
        for count in 0..<body.count {
            #expect(decoded(Array(body[..<count]), type: type) != .success(record))
        }
    }

    @Test func anyBytesAsAnyTypeAreReadWithoutATrap() {
        var random = SeededGenerator(seed: 13)
        var failures = 0
        for _ in 0..<20_000 {
            let body = random.bytes(count: Int(random.next() % 80))
            let type = UInt8(random.next() % 20) | (random.oneIn(3) ? ExtraFields.flag : 0)
            if case .failure = decoded(body, type: type) { failures += 1 }
        }
        #expect(failures > 10_000)
    }

    @Test func anUnknownTypeIsNamed() {
        #expect(decoded([], type: 17) == .failure(.unknown(kind: "record type", value: 17)))
        #expect(decoded([], type: 0) == .failure(.unknown(kind: "record type", value: 0)))
        #expect(decoded([0], type: 0x91) == .failure(.unknown(kind: "record type", value: 17)))
    }

    @Test(arguments: 1...16) func fieldsOfALaterVersionArePassedOverUnlessTheyAreVital(kind: Int) {
        var random = SeededGenerator(announcedAs: "fields kind \(kind)", seed: 16)
        let record = random.record(kind: kind)
        let (type, body) = encoded(record)
        // Tag 2 with three bytes, tag 300 with none.
        let passable: [UInt8] = [8, 2, 3, 7, 7, 7, 0xAC, 2, 0]
        #expect(decoded(passable + body, type: type | ExtraFields.flag) == .success(record))
        #expect(decoded([0] + body, type: type | ExtraFields.flag) == .success(record))
        let vital: [UInt8] = [3, 5, 1, 7]
        #expect(
            decoded(vital + body, type: type | ExtraFields.flag)
                == .failure(.unknown(kind: "field", value: 5)))
        for wrong: [UInt8] in [[200], [2, 2, 1], [1, 2], [3, 2, 5, 1]] {
            #expect(decoded(wrong, type: type | ExtraFields.flag) != .success(record))
        }
    }

    @Test func aPauseThatThisVersionDoesNotKnowIsRefused() {
        #expect(
            decoded([1, 8, 0, 0], type: RecordType.queuePauseChanged.rawValue)
                == .failure(.unknown(kind: "pause", value: 8)))
    }

    @Test(arguments: 1...16) func theSizeBoundIsNeverLessThanTheEncoding(kind: Int) {
        var random = SeededGenerator(announcedAs: "bound kind \(kind)", seed: 14)
        for _ in 0..<200 {
            let record = random.record(kind: kind)
            let length = encoded(record).body.count + RecordFrame.headerBytes
            #expect(Journal.encodedBytesMax(record) >= length)
        }
    }

    @Test func anAcceptedRecordTakesAtMostThirtyBytesBesidesItsPayload() {
        let task = AcceptedTask(
            queue: QueueNumber(rawValue: 1), id: taskID(1), sequence: TaskSequence(rawValue: 2_000_000),
            group: "",
            deduplication: nil, traceparent: [], payload: payload(of: 1, count: 200)[...])
        #expect(encoded(.accepted(task)).body.count + RecordFrame.headerBytes <= 230)
    }

    @Test(arguments: 1...6) func everySnapshotRecordComesBackAsItWasEncoded(kind: Int) throws {
        var random = SeededGenerator(announcedAs: "snapshot kind \(kind)", seed: 15)
        for _ in 0..<200 {
            let record = random.snapshot(kind: kind)
            var buffer = EncodingBuffer(capacity: 64)
            buffer.put(record)
            let body = Array(buffer.bytes)
            let back = try body.withUnsafeBufferPointer { bytes in
                var reader = BodyReader(UnsafeRawBufferPointer(bytes), in: body, at: 0)
                let record = try reader.readSnapshot()
                try reader.expectEnd()
                return record
            }
            #expect(back == record)
        }
    }

    @Test func aMovedRecordUnwrapsToItsOriginalAndNeverToAnotherMovedOne() throws {
        let original = accepted(7, payload: payload(of: 7))
        let (type, body) = encoded(original)
        let moved = MovedRecord(id: taskID(7), role: .payload, original: [type] + body[...])
        #expect(try BodyReader.unwrap(moved) == original)
        let nested = MovedRecord(id: taskID(7), role: .payload, original: [RecordType.moved.rawValue, 1, 2])
        #expect(throws: DecodingFailure.self) { try BodyReader.unwrap(nested) }
    }
}
