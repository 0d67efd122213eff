import LinuxSystem
import ProcessorSupervision

/// A running daemon of the stack: its process, and what comes out of it.
final class StackChild {
    private static let lineBytesMax = 64 << 10

    let member: StackMember
    let process: ChildProcess
    private let output: OwnedDescriptor
    private var splitter = LineSplitter(limitBytes: StackChild.lineBytesMax, longLines: .comeInPieces)

    /// Standard output and standard error go into one pipe, so that their lines keep their order.
    init(
        _ member: StackMember, path: String, arguments: [String], environment: [String]
    ) throws {
        let pipe = try PipeEnds()
        let null = try OwnedDescriptor(opening: "/dev/null", flags: 0)
        var request = SpawnRequest(
            path: path, arguments: arguments, environment: environment,
            descriptors: [null.rawValue, pipe.writing.rawValue, pipe.writing.rawValue])
        // Ctrl-C in the terminal is for this program, which then ends the others in their order.
        request.leadsProcessGroup = true
        try OwnedDescriptor.setNonBlocking(pipe.reading.rawValue)
        self.member = member
        process = try ChildProcess(spawning: request)
        output = pipe.keepReading()
    }

    var outputDescriptor: CInt { output.rawValue }

    /// The whole lines of one read; a member that floods is read again after the others had their turn.
    ///
    /// False once nothing more will come.
    func readLines(_ body: (ArraySlice<UInt8>) -> Void) throws(SystemError) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        switch try FileText.readPiece(output.rawValue, into: &chunk) {
        case .read(let count):
            chunk[..<count].withUnsafeBytes { splitter.append($0) }
            handOut(body)
            return true
        case .endOfFile: return false
        case .wouldBlock: return true
        }
    }

    /// What stands in the pipe of a member that has ended.
    ///
    /// Its own orphans may hold the pipe open: no end is awaited.
    func readRest(_ body: (ArraySlice<UInt8>) -> Void) throws(SystemError) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while case .read(let count) = try FileText.readPiece(output.rawValue, into: &chunk) {
            chunk[..<count].withUnsafeBytes { splitter.append($0) }
            handOut(body)
        }
        if let rest = splitter.finish(), !rest.isEmpty { body(rest) }
    }

    private func handOut(_ body: (ArraySlice<UInt8>) -> Void) {
        while let line = splitter.next() {
            switch line {
            case .whole(let bytes), .tooLong(let bytes): body(bytes)
            }
        }
    }
}
