import Glibc
import ProcessorSupervision
import TestSupport
import Testing

@Suite struct PluginFolderTests {
    private typealias Entry = PluginFolder.Entry

    private func script(_ name: String) -> Entry {
        Entry(name: name, kind: .file(bytes: 9, looksLikeProgram: true))
    }

    @Test(arguments: [
        ("mail", "mail"), ("mail.sh", "mail"), ("mail.tar.py", "mail"), ("a-b_1", "a-b_1"), ("0", "0"),
    ])
    func aFileServesTheQueueOfItsNameUpToTheFirstDot(name: String, queue: String) {
        let folder = PluginFolder.scan("/p", [script(name)])
        let expected = PluginFolder.Plugin(
            queue: queue, executable: "/p/\(name)", directory: "/p", manifest: nil)
        #expect(folder.plugins == [expected])
        #expect(folder.problems.isEmpty)
    }

    @Test func aFolderServesItsWholeNameAndHasAManifestOrNot() {
        let folder = PluginFolder.scan(
            "/p",
            [
                Entry(name: "a", kind: .directory(hasProcessor: true, hasManifest: false)),
                Entry(name: "b", kind: .directory(hasProcessor: false, hasManifest: true)),
                Entry(name: "lib", kind: .directory(hasProcessor: false, hasManifest: false)),
            ])
        #expect(
            folder.plugins == [
                .init(queue: "a", executable: "/p/a/processor", directory: "/p/a", manifest: nil),
                .init(
                    queue: "b", executable: "/p/b/processor", directory: "/p/b",
                    manifest: "/p/b/plugin.toml"),
            ])
    }

    @Test(arguments: [
        ".hidden", "mail~", "mail.bak", "mail.tmp", "mail.swp", "mail.dpkg-new", "mail.sh.dpkg-old",
        ".mail.sh.swp",
    ])
    func whatEditorsAndPackagesLeaveIsIgnored(name: String) {
        let folder = PluginFolder.scan("/p", [script(name)])
        #expect(folder == PluginFolder())
    }

    @Test func aFileThatIsNoProgramIsIgnored() {
        let folder = PluginFolder.scan(
            "/p", [Entry(name: "README.md", kind: .file(bytes: 9, looksLikeProgram: false))])
        #expect(folder == PluginFolder())
    }

    @Test func twoPluginsForOneQueueAreOneErrorAndNeitherRuns() {
        let folder = PluginFolder.scan(
            "/p",
            [
                script("mail.sh"), script("mail.py"),
                Entry(name: "mail", kind: .directory(hasProcessor: true, hasManifest: false)),
            ])
        #expect(folder.plugins.isEmpty)
        #expect(folder.problems.count == 1)
        #expect(folder.problems[0].queue == "mail")
        #expect(
            folder.problems[0].sentence
                == "two plugins for the queue mail: /p/mail and /p/mail.py and /p/mail.sh; remove one")
    }

    @Test(arguments: ["Mail.sh", "-x", "a b", "ü", String(repeating: "x", count: 65)])
    func aBadNameIsOneError(name: String) {
        let folder = PluginFolder.scan("/p", [script(name)])
        #expect(folder.plugins.isEmpty && folder.problems.count == 1)
        #expect(folder.problems[0].sentence.contains("/p/\(name) is no plugin"))
    }

    @Test func anEarlierFolderHidesNameByNameAndAMaskHidesToo() {
        let own = PluginFolder.scan("/own", [script("mail.sh"), Entry(name: "news", kind: .mask)])
        let shipped = PluginFolder.scan("/shipped", [script("mail"), script("news"), script("tasks")])
        let layered = PluginFolder.layered([own, shipped])
        #expect(layered.plugins.map(\.executable) == ["/own/mail.sh", "/shipped/tasks"])
        #expect(layered.masked == ["news"])
    }

    @Test func aRealFolderIsListedAsItIs() throws {
        try TemporaryDirectory.with { directory in
            try directory.write("#!/bin/sh\n", to: "a.sh", mode: 0o755)
            try directory.write("#!/bin/sh\n", to: "b.sh", mode: 0o644)
            try directory.write("text\n", to: "README", mode: 0o644)
            try directory.write("", to: "empty", mode: 0o755)
            try directory.write("x", to: "d/processor", mode: 0o755)
            try directory.write("x", to: "d/plugin.toml")
            #expect(symlink("/dev/null", directory.path("null")) == 0)
            #expect(symlink("/no/where", directory.path("lost")) == 0)
            let entries = try PluginFolder.list(directory.path)
            #expect(
                entries == [
                    Entry(name: "README", kind: .file(bytes: 5, looksLikeProgram: false)),
                    Entry(name: "a.sh", kind: .file(bytes: 10, looksLikeProgram: true)),
                    Entry(name: "b.sh", kind: .file(bytes: 10, looksLikeProgram: true)),
                    Entry(name: "d", kind: .directory(hasProcessor: true, hasManifest: true)),
                    Entry(name: "empty", kind: .mask),
                    Entry(name: "lost", kind: .file(bytes: 0, looksLikeProgram: true)),
                    Entry(name: "null", kind: .mask),
                ])
        }
    }
}
