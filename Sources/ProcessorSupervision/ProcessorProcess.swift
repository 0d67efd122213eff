private import CSpawn
private import Glibc
internal import LinuxSystem
internal import TaskModel

/// One running processor: the child, our ends of its four pipes, and the machine that says what they mean.
final class ProcessorProcess {
    /// A pipe that we read.
    struct Source {
        var descriptor: OpenDescriptor?
        var lines: LineSplitter

        var rawValue: CInt? { descriptor?.rawValue }
    }

    enum Channel: UInt64, CaseIterable {
        case pid = 0
        case input = 1
        case output = 2
        case errors = 3
        case answers = 4
    }

    private static let oomScoreAdjustment: CInt = 500
    private static let fileModeMask: UInt32 = 0o077

    let child: ChildProcess
    /// The variable that its descendants inherit, `TASKQ_PROCESSOR=…`.
    let marker: String
    var machine: ProcessorMachine
    var input: StandardInput
    var output: Source
    var errors: Source
    var answers: Source
    var stderrTail = TailBuffer(limitBytes: AttemptRecord.stderrBytesMax)

    init(
        _ program: ProcessorProgram, environment: [String], marker: String, machine: ProcessorMachine
    ) throws(ProcessorSupervisionError) {
        let input = try Pipe.toChild()
        let output = try Pipe.fromChild()
        let errors = try Pipe.fromChild()
        let answers = try Pipe.fromChild()
        var request = SpawnRequest(
            path: program.path, arguments: program.arguments, environment: environment,
            directory: program.directory,
            descriptors: [
                input.theirs.rawValue, output.theirs.rawValue, errors.theirs.rawValue,
                answers.theirs.rawValue,
            ])
        request.leadsProcessGroup = true
        request.fileModeMask = Self.fileModeMask
        request.oomScoreAdjustment = Self.oomScoreAdjustment
        child = try ChildProcess(spawning: request)
        self.marker = marker
        self.machine = machine
        let logged = LineSplitter(limitBytes: OutputLine.bytesMax, longLines: .comeInPieces)
        let answered = LineSplitter(limitBytes: ProcessorAnswer.lineBytesMax, longLines: .areReported)
        self.input = StandardInput(input.keepOurs())
        self.output = Source(descriptor: output.keepOurs(), lines: logged)
        self.errors = Source(descriptor: errors.keepOurs(), lines: logged)
        self.answers = Source(descriptor: answers.keepOurs(), lines: answered)
    }

    func carryOut(_ order: ProcessorMachine.Order) {
        switch order {
        case .closeInput: input.close()
        case .terminate: child.sendToGroup(signal: SIGTERM)
        case .kill: child.sendToGroup(signal: SIGKILL)
        }
    }

    /// Reads once from stdout or stderr and hands on what became whole lines.
    ///
    /// Nil at the end of the stream.
    func readOutput(
        _ channel: Channel, scratch: UnsafeMutableRawBufferPointer, line: (OutputLine) -> Void
    ) -> ReadOutcome {
        switch channel {
        case .output:
            return Self.read(&output, scratch) { bytes, lines in
                lines.append(UnsafeRawBufferPointer(bytes))
                emit(&lines, as: .standardOutput, line)
            }
        case .errors:
            return Self.read(&errors, scratch) { bytes, lines in
                stderrTail.append(UnsafeRawBufferPointer(bytes))
                lines.append(UnsafeRawBufferPointer(bytes))
                emit(&lines, as: .standardError, line)
            }
        case .pid, .input, .answers:
            return .endOfFile
        }
    }

    /// What was written without a newline at the end.
    func finishOutput(line: (OutputLine) -> Void) {
        if let rest = output.lines.finish() { line(labelled(rest, .standardOutput)) }
        if let rest = errors.lines.finish() { line(labelled(rest, .standardError)) }
    }

    /// Reads once from descriptor 3.
    func readAnswers(
        scratch: UnsafeMutableRawBufferPointer, answer: (ProcessorAnswer) -> Void
    ) -> ReadOutcome {
        let outcome = Self.read(&answers, scratch) { bytes, lines in
            lines.append(UnsafeRawBufferPointer(bytes))
        }
        // The line is taken out of the splitter before the answer is acted on, which may come back here.
        while let line = answers.lines.next() {
            switch line {
            case .whole(let bytes): answer(ProcessorAnswer(line: bytes))
            case .tooLong(let start): answer(ProcessorAnswer(tooLong: start))
            }
        }
        return outcome
    }

    /// A last answer without a newline counts; half an answer is none.
    func lastAnswer() -> ProcessorAnswer? {
        guard let rest = answers.lines.finish() else { return nil }
        let answer = ProcessorAnswer(line: rest)
        if case .bad = answer { return nil }
        return answer
    }

    private static func read(
        _ source: inout Source, _ scratch: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeMutableRawBufferPointer, inout LineSplitter) -> Void
    ) -> ReadOutcome {
        guard let descriptor = source.rawValue else { return .endOfFile }
        let outcome = try? OwnedDescriptor.read(descriptor, into: scratch)  // ignoring: it is at its end
        switch outcome {
        case .read(let count):
            take(UnsafeMutableRawBufferPointer(rebasing: scratch[..<count]), &source.lines)
            return .read(bytes: count)
        case .wouldBlock:
            return .wouldBlock
        case .endOfFile, nil:
            source.descriptor = nil
            return .endOfFile
        }
    }

    private func emit(_ lines: inout LineSplitter, as source: OutputLine.Source, _ line: (OutputLine) -> Void)
    {
        while let next = lines.next() {
            guard case .whole(let bytes) = next else { continue }
            line(labelled(bytes, source))
        }
    }

    private func labelled(_ bytes: ArraySlice<UInt8>, _ source: OutputLine.Source) -> OutputLine {
        OutputLine(source: source, line: bytes, pid: child.pid, task: machine.taskInHand)
    }
}
