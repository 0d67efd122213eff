import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct OwnedDescriptorTests {
    @Test func aDescriptorIsClosedWhenItsOwnerGoes() throws {
        let number: CInt
        do {
            let owned = try OwnedDescriptor(opening: "/dev/null", flags: O_RDWR)
            number = owned.rawValue
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
            try owned.close()
        }
        #expect(throws: SystemError.self) { try OwnedDescriptor.setNonBlocking(-1) }
        let given = try OwnedDescriptor(opening: "/dev/null", flags: O_RDWR)
        let raw = given.release()
        #expect(fcntl(raw, F_GETFD) >= 0)
        #expect(close(raw) == 0)
    }

    @Test func aMissingFileIsNamedInTheError() {
        #expect(throws: SystemError(call: "open /nowhere/at/all", errno: ENOENT)) {
            _ = try OwnedDescriptor(opening: "/nowhere/at/all", flags: O_RDONLY)
        }
        #expect("\(SystemError(call: "open x", errno: ENOENT))" == "open x: No such file or directory")
    }

    @Test func aPipeReadsWhatWasWrittenThenWouldBlockThenEnds() throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let reader = OwnedDescriptor(adopting: ends[0])
        let writer = OwnedDescriptor(adopting: ends[1])
        try OwnedDescriptor.setNonBlocking(reader.rawValue)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(try buffer.withUnsafeMutableBytes { try reader.read(into: $0) } == .wouldBlock)
        #expect(try [1, 2, 3].withUnsafeBytes { try writer.write($0) } == .wrote(bytes: 24))
        #expect(try buffer.withUnsafeMutableBytes { try reader.read(into: $0) } == .read(bytes: 16))
        #expect(try buffer.withUnsafeMutableBytes { try reader.read(into: $0) } == .read(bytes: 8))
        try writer.close()
        #expect(try buffer.withUnsafeMutableBytes { try reader.read(into: $0) } == .endOfFile)
    }

    @Test func aCachedFileIsReadWithoutTheDisk() throws {
        try TemporaryDirectory.with { directory in
            let path = try directory.write("0123456789", to: "file")
            let file = try OwnedDescriptor(opening: path, flags: O_RDONLY)
            var buffer = [UInt8](repeating: 0, count: 4)
            let count = try buffer.withUnsafeMutableBytes { try file.readCached(into: $0, at: 3) }
            // A file just written is in the page cache; tmpfs may not know RWF_NOWAIT and then says so.
            #expect(count == 4)
            #expect(buffer == Array("3456".utf8))
        }
    }
}
