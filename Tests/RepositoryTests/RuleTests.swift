import Testing

/// Every rule finds a bad sample and leaves a good one alone.
@Suite struct RuleTests {
    private func sample(_ text: String, path: String = "Sources/TaskModel/Sample.swift") -> SourceFile {
        SourceFile(path: path, text)
    }

    @Test func aLongFileIsFound() {
        let line = "let x = 1\n"
        #expect(SizeRules.fileLength(sample(String(repeating: line, count: 500))).isEmpty)
        #expect(SizeRules.fileLength(sample(String(repeating: line, count: 501))).count == 1)
    }

    @Test func aLongLineIsFound() {
        let fits = String(repeating: "é", count: 110)
        #expect(SizeRules.lineLength(sample("\(fits)\n\(fits)e\n")).map(\.line) == [2])
    }

    @Test(arguments: [
        "func f()", "init(a: Int)", "deinit", "subscript(x: Int) -> Int",
        "func g(\n    _ body: () -> Void = {}\n) throws",
    ])
    func aLongFunctionIsFound(declaration: String) {
        let head = declaration.split(separator: "\n").count
        func function(lines: Int) -> SourceFile {
            let body = String(repeating: "    call { }\n", count: lines - head - 1)
            return sample("struct S {\n    \(declaration) {\n\(body)    }\n    func h() {}\n}\n")
        }
        #expect(SizeRules.functionLength(function(lines: 70)).isEmpty)
        #expect(SizeRules.functionLength(function(lines: 71)).map(\.line) == [2])
    }

    @Test func aRequirementOfAProtocolHasNoLength() {
        let gap = String(repeating: "\n", count: 100)
        let text = "protocol P {\n    func f()\n}\n\(gap)struct S {\n}\n"
        #expect(SizeRules.functionLength(sample(text)).isEmpty)
    }

    @Test func aLargeFileIsFound() {
        #expect(SizeRules.fileSize(path: "a", bytes: 1 << 20).isEmpty)
        #expect(SizeRules.fileSize(path: "a", bytes: (1 << 20) + 1).count == 1)
    }

    @Test(arguments: [
        "let x = try! f()", "let x = y as! Int", "fatalError()", "Task.detached { }", "Task { await f() }",
        "Task(priority: .low) { }", #"print("x")"#, "struct JournalLogHandler {}",
    ])
    func aBannedWordIsFound(line: String) {
        #expect(BannedWord.violations(sample("\(line)\n")).count == 1)
        #expect(BannedWord.violations(sample("// \(line)\nlet s = \"\"\"\n\(line)\n\"\"\"\n")).isEmpty)
    }

    @Test(arguments: ["Thread.sleep(1)", "usleep(5)", "try await Task.sleep(for: .seconds(1))", "sleep(1)"])
    func sleepingInATestIsFound(line: String) {
        #expect(BannedWord.violations(sample(line, path: "Tests/XTests/X.swift")).count >= 1)
        #expect(BannedWord.violations(sample(line, path: "Sources/Journal/X.swift")).isEmpty)
    }

    @Test func wordsThatOnlyEndLikeABannedOneAreFine() {
        let text = "blueprint(x)\nSubTask { }\nmyTask.detachedCopy()\nhas as_!\nfatalError(\"why\")\n"
        #expect(BannedWord.violations(sample(text)).isEmpty)
        #expect(BannedWord.violations(sample("print(x)", path: "Sources/AdminCommands/X.swift")).isEmpty)
    }

    @Test func codeInsideAnInterpolationIsCode() {
        #expect(BannedWord.violations(sample(#"let s = "a \(try! f("b")) try!""#)).count == 1)
        #expect(BannedWord.violations(sample(##"let s = #"a \(try! f()) "# "##)).isEmpty)
        #expect(BannedWord.violations(sample("/* a /* b */ try! */ let x = \"\\\"try!\"")).isEmpty)
    }

    @Test func aForceUnwrapIsFound() {
        for line in ["x!", "f()!.y", "a[1]!", "var v: Int!", #"let s = "\(x!)""#] {
            #expect(ProofRules.forceUnwraps(sample(line)).count == 1, "\(line)")
        }
        for line in ["!x", "a != b", "x!=y", "if !f() || !g {}", #"let s = "stop!""#, "// it's wrong!"] {
            #expect(ProofRules.forceUnwraps(sample(line)).isEmpty, "\(line)")
        }
    }

    @Test func aDroppedErrorIsFound() {
        #expect(ProofRules.ignoredErrors(sample("let x = try? f()")).count == 1)
        #expect(ProofRules.ignoredErrors(sample("f(try? g())")).count == 1)
        #expect(ProofRules.ignoredErrors(sample("var entry: Entry?")).isEmpty)
        #expect(ProofRules.ignoredErrors(sample("// ignoring: a probe.\nlet x = try? f()")).isEmpty)
        #expect(ProofRules.ignoredErrors(sample("// ignoring: a probe.\n\nlet x = try? f()")).count == 1)
        #expect(
            ProofRules.ignoredErrors(sample("_ = try? f()  // ignoring: the peer is gone anyway.")).isEmpty)
    }

    @Test func uncheckedSharingWithoutAProofIsFound() {
        let bad = "\nfinal class C: @unchecked Sendable {}\nnonisolated(unsafe) var x = 1\n"
        #expect(ProofRules.unsafeConcurrency(sample(bad)).map(\.line) == [2, 3])
        #expect(ProofRules.unsafeConcurrency(sample("// One thread.\nnonisolated(unsafe) var x = 1")).isEmpty)
    }

    @Test func anOpenNoteIsFound() {
        let bad =
            "// FIXME: x\n/// TODO later\n// TODO(12)\nlet a = 1  // TODO(0007): and TODO\n// MARK: - B\n"
        #expect(ProofRules.openNotes(sample(bad)).map(\.line) == [1, 2, 3, 4, 5])
        #expect(ProofRules.openNotes(sample("// TODO(0007): smaller\nlet s = \"// FIXME\"\n")).isEmpty)
    }

    @Test func anEmptyNameIsFound() {
        #expect(NameRules.fileName("Sources/A/QueueManager.swift").count == 1)
        #expect(NameRules.fileName("Sources/A/StringUtils+Path.swift").count >= 1)
        #expect(NameRules.fileName("Sources/A/Queue.swift").isEmpty)
        let bad = "struct TaskManager {}\nfinal class FileHelper {}\nenum Task {}\n"
        #expect(NameRules.typeNames(sample(bad)).map(\.line) == [1, 2, 3])
        #expect(NameRules.typeNames(sample("struct NewTask {}\n// class FileHelper\n")).isEmpty)
    }

    @Test(arguments: [
        ("TaskModel", "import Journal"), ("QueueStateMachine", "package import Journal"),
        ("Journal", "import QueueStateMachine"), ("WireProtocol", "import Glibc"),
        ("IngestDaemon", "import ZeroMQ"), ("Journal", "private import Foundation"),
        ("QueueStateMachine", "import struct Logging.Logger"), ("Unlisted", "import TaskModel"),
    ])
    func anImportUpwardsIsFound(module: String, line: String) {
        #expect(ImportMatrix.violations(sample(line, path: "Sources/\(module)/X.swift")).count == 1)
    }

    @Test func importsDownwardsAreFine() {
        let imports = "import Glibc\npackage import TaskModel\nimport struct CChecksum.X\n"
        let text = imports + "let a = \"import Foundation\"\n"
        #expect(ImportMatrix.violations(sample(text, path: "Sources/Journal/X.swift")).isEmpty)
        #expect(
            ImportMatrix.violations(sample("import Foundation", path: "Tests/JournalTests/X.swift")).isEmpty)
    }

    @Test func aShippedPluginSeesOnlyTheProcessorLibrary() {
        let path = "plugins/tasks/Sources/Main.swift"
        #expect(ImportMatrix.violations(sample("import TaskProcessor", path: path)).isEmpty)
        #expect(ImportMatrix.violations(sample("import Journal", path: path)).count == 1)
    }

    @Test func aModuleWithoutTestsIsFound() {
        let paths = [
            "Sources/A/A.swift", "Tests/ATests/ATests.swift", "Sources/B/B.swift", "Tests/BTests/x.txt",
        ]
        let modules = ["A", "B", "CChecksum", "taskq"]
        #expect(TreeRules.modulesWithoutTests(modules, paths: paths).map(\.path) == ["Sources/B"])
    }

    @Test func anEntryOfTheMatrixWithoutAModuleIsFound() {
        let modules = ImportMatrix.allowed.keys.filter { $0 != "Journal" }
        #expect(TreeRules.staleMatrixEntries(modules).map(\.path) == ["Sources/Journal"])
    }

    @Test func aModuleThatTheArchitectureForgetsIsFound() {
        let found = TreeRules.modulesMissing(inArchitecture: "`A` and AB", modules: ["A", "AB"])
        #expect(found.map(\.message) == ["does not name the module AB"])
    }

    @Test func aLinkToNowhereIsFound() {
        let paths: Set<String> = ["README.md", "docs/A.md", "docs/decisions/1.md"]
        let good = "[a](A.md#x) [b](../README.md) [c](decisions) [d](https://x.y/z) [e](#here)\n"
        #expect(TreeRules.brokenLinks(path: "docs/B.md", text: good, paths: paths).isEmpty)
        let bad = "\n[a](README.md) and [b](decisions/2.md)\n"
        #expect(TreeRules.brokenLinks(path: "docs/B.md", text: bad, paths: paths).map(\.line) == [2, 2])
    }

    @Test(arguments: [
        ("# A\n\ntext\n```\n# comment\n```\n", 0), ("text\n", 1), ("# A\n# B\n", 1), ("\n# A\n", 1),
    ])
    func aDocumentWithoutExactlyOneTitleIsFound(text: String, count: Int) {
        #expect(TreeRules.title(path: "x.md", text: text).count == count)
    }
}
