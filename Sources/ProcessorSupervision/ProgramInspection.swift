/// What a look at a program and at who could have changed it tells before it is run.
package struct ProgramInspection: Hashable, Sendable {
    /// Why it must not or cannot be run, as far as can be seen.
    package var problem: StartProblem?
    /// Nothing that keeps it from running; whoever owns it wants to know.
    package var warnings: [String] = []

    /// - Parameters:
    ///   - searchPath: the PATH that the program will have.
    ///   - trust: nil runs whatever is there.
    package init(of program: ProcessorProgram, searchPath: String, trust: PluginTrust?) {
        if let trust {
            let paths = PluginTrust.gather(executable: program.path, folder: program.directory)
            for finding in trust.findings(paths) {
                switch finding {
                case .refusal(let sentence):
                    problem = StartProblem(sentence)
                    return
                case .warning(let sentence):
                    warnings.append(sentence)
                }
            }
        }
        problem = StartProblem(
            seenIn: ProgramFacts(
                lookingAt: program.path, directory: program.directory, searchPath: searchPath))
    }
}
