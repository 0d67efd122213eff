package import LinuxSystem

/// The secrets that an admin put into /etc/taskq/credentials/QUEUE, under the names that they have there.
///
/// systemd loads the files of a folder as `queue_NAME` (LoadCredential= in systemd.exec(5)), and a folder
/// that is missing is no error only where there is a value to fall back on, which becomes a file `queue`.
/// So a processor is shown a folder of links instead, in the worker's runtime directory.
package enum QueueCredentials {
    /// The name of the unit's LoadCredential= and SetCredential=.
    static let loadedFolder = "queue"

    /// What a processor is told as its CREDENTIALS_DIRECTORY; nil where there are none.
    ///
    /// - Parameter environment: the worker's own variables, `NAME: value`.
    package static func directory(environment: [String: String]) throws(SystemError) -> String? {
        guard let loaded = environment["CREDENTIALS_DIRECTORY"] else { return nil }
        guard let runtime = environment["RUNTIME_DIRECTORY"] else { return loaded }
        let files = try FileContents.names(in: loaded).filter { $0 != loadedFolder }
        if files.isEmpty { return nil }
        let shown = runtime + "/credentials"
        try FileContents.makeDirectories(shown, mode: 0o700)
        for file in files {
            try FileContents.makeLink(shown + "/" + name(of: file), to: loaded + "/" + file)
        }
        return shown
    }

    private static func name(of file: String) -> Substring {
        let prefix = loadedFolder + "_"
        return file.hasPrefix(prefix) && file.utf8.count > prefix.utf8.count
            ? file.dropFirst(prefix.count) : file[...]
    }
}
