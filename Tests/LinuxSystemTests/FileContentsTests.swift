import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct FileContentsTests {
    @Test func aFileIsReadWholeAndOneOverTheLimitIsRefused() throws {
        try TemporaryDirectory.with { directory in
            let bytes = [UInt8](repeating: 7, count: 200_000)
            let path = try directory.write(bytes, to: "big")
            #expect(try FileContents.read(path, maximumBytes: 200_000) == bytes)
            #expect(throws: SystemError(call: "read \(path)", errno: EFBIG)) {
                try FileContents.read(path, maximumBytes: 199_999)
            }
        }
    }

    @Test func missingDirectoriesAreMadeAndAFileInTheWayIsAnError() throws {
        try TemporaryDirectory.with { directory in
            try FileContents.makeDirectories(directory.path("a/b/c"))
            try FileContents.makeDirectories(directory.path("a/b/c"))
            #expect(FileContents.isDirectory(directory.path("a/b/c")))
            try directory.write("", to: "file")
            #expect(throws: SystemError.self) { try FileContents.makeDirectories(directory.path("file/x")) }
        }
    }

    @Test func linksAndParentsAreReadAsTheyStand() throws {
        try TemporaryDirectory.with { directory in
            try #require(symlink("some/where", directory.path("link")) == 0)
            #expect(try FileContents.linkTarget(directory.path("link")) == "some/where")
            #expect(FileContents.parentDirectory(of: "/a/b") == "/a")
            #expect(FileContents.parentDirectory(of: "/a") == nil)
            #expect(try FileContents.absolute("x") == FileContents.workingDirectory() + "/x")
        }
    }
}
