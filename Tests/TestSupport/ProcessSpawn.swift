import Glibc

/// What to start and in which surroundings.
package struct ProcessDescription: Sendable {
    package var executable: String
    package var arguments: [String]
    /// Added to the environment of the test runner; nil removes a variable.
    package var environment: [String: String?]
    package var directory: String?

    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
        directory: String? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }

    /// A program from the build folder.
    package init(
        product: String, _ arguments: [String] = [], environment: [String: String?] = [:],
        directory: String? = nil
    ) throws(TestSupportError) {
        self.init(
            try BuiltProducts.path(of: product), arguments, environment: environment, directory: directory)
    }

    /// What the program has for its three descriptors.
    enum Surface {
        case descriptors(input: CInt, output: CInt, error: CInt)
        /// The path of a terminal, which becomes the controlling one.
        case terminal(String)
    }

    /// Starts it in a process group of its own; at a terminal, in a session of its own.
    ///
    /// The program setpriv makes the kernel kill it when the calling thread ends, so that a test runner that
    /// is killed leaves nothing behind: call from a thread that lives as long as the process should.
    func spawn(_ surface: Surface) throws(TestSupportError) -> pid_t {
        guard access(executable, X_OK) == 0 else {
            throw .spawnFailed(executable: executable, errno: errno)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        switch surface {
        case .descriptors(let input, let output, let error):
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
            posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
            posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO)
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= POSIX_SPAWN_SETPGROUP
        case .terminal(let path):
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
            posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
            // POSIX_SPAWN_SETSID, which Swift's Glibc does not show.
            flags |= 0x80
        }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let place = ["/usr/bin/env", "--chdir=\(directory ?? ".")"]
        let command = place + ["/usr/bin/setpriv", "--pdeathsig", "KILL", executable] + arguments
        let failure: CInt
        var pid: pid_t = 0
        do {
            let argumentList = CStringArray(command)
            let variables = CStringArray(try mergedEnvironment())
            failure = posix_spawn(
                &pid, command[0], &actions, &attributes, argumentList.pointers, variables.pointers)
        }
        guard failure == 0 else { throw .spawnFailed(executable: executable, errno: failure) }
        return pid
    }

    private func mergedEnvironment() throws(TestSupportError) -> [String] {
        var variables: [String: String] = [:]
        for entry in try TextFile.bytes(of: "/proc/self/environ").split(separator: 0) {
            let pair = entry.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            variables[String(decoding: pair[0], as: UTF8.self)] = String(decoding: pair[1], as: UTF8.self)
        }
        for (name, value) in environment { variables[name] = value }
        return variables.map { "\($0)=\($1)" }
    }
}

/// A C array of C strings with nil at its end, freed with its owner.
private final class CStringArray {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            (pointers + index).initialize(to: strdup(string))
        }
        (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
