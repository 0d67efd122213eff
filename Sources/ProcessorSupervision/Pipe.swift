private import CSpawn
internal import LinuxSystem

/// Both ends of a pipe: ours never blocks, the child's does, as every program expects of its descriptors.
struct Pipe: ~Copyable {
    let ours: OwnedDescriptor
    let theirs: OwnedDescriptor

    private init(ours: CInt, theirs: CInt) {
        self.ours = OwnedDescriptor(adopting: ours)
        self.theirs = OwnedDescriptor(adopting: theirs)
    }

    static func toChild() throws(ProcessorSupervisionError) -> Pipe {
        let ends = try makeEnds()
        return try Pipe(ours: ends.writing, theirs: ends.reading).withoutBlocking()
    }

    static func fromChild() throws(ProcessorSupervisionError) -> Pipe {
        let ends = try makeEnds()
        return try Pipe(ours: ends.reading, theirs: ends.writing).withoutBlocking()
    }

    /// Closes the child's end, and hands out ours.
    consuming func keepOurs() -> OpenDescriptor {
        OpenDescriptor(ours)
    }

    /// The corresponding C function is `pipe2`.
    private static func makeEnds() throws(ProcessorSupervisionError) -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        guard taskq_pipe(&ends) == 0 else { throw .system(SystemError("pipe2")) }
        return (ends[0], ends[1])
    }

    private consuming func withoutBlocking() throws(ProcessorSupervisionError) -> Pipe {
        do throws(SystemError) {
            try OwnedDescriptor.setNonBlocking(ours.rawValue)
        } catch {
            throw .system(error)
        }
        return self
    }
}
