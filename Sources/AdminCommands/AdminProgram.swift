import ArgumentParser
private import Glibc
private import ServiceLog

/// The program `taskq`: its command line, and what it ends with.
package enum AdminProgram {
    /// Runs one command.
    ///
    /// `arguments` are without the program's name; the result is the exit code.
    package static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try TaskqCommand.parseAsRoot(arguments)
            try command.run()
            return 0
        } catch let failure as CommandFailure {
            report("taskq: \(TerminalText.escapedLines(failure.description))\n")
            return failure.exitCode
        } catch let status as ExitStatusRequest {
            return status.code
        } catch {
            let text = TaskqCommand.fullMessage(for: error)
            guard TaskqCommand.exitCode(for: error) != .success else {
                print(text)
                return 0
            }
            report(text + "\n")
            return CommandFailure.usage("").exitCode
        }
    }

    private static func report(_ text: String) {
        FileText.write(text, to: STDERR_FILENO)
    }
}

/// Thrown by a command that has said everything itself.
struct ExitStatusRequest: Error {
    let code: Int32
}

extension TerminalText {
    /// As ``escaped(_:)``, with the ends of lines kept.
    static func escapedLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }
            .joined(separator: "\n")
    }
}
