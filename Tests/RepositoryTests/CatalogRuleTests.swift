import Testing

/// The rules about the catalog find a bad sample and leave a good one alone.
@Suite struct CatalogRuleTests {
    private static let id = "0123456789abcdef0123456789abcdef"

    private static func entry(
        id: String = id, text: String = "# disk failed\n", subject: String = "Subject: The disk failed\n",
        body: String = "It said @TASKQ_ERROR@ to worker@@host.\n"
    ) -> String {
        "\(text)-- \(id)\n\(subject)Defined-By: taskq\nDocumentation: man:taskq(1)\n\n\(body)\n"
    }

    private static let ids = SourceFile(path: CatalogRules.ids, "    case diskFailed = \"\(id)\"\n")
    private static let said = SourceFile(path: "Sources/Sample/Sample.swift", "say(\"disk failed\")\n")

    @Test func aGoodCatalogPasses() {
        let entries = CatalogRules.entries("# A heading.\n\n" + Self.entry())
        #expect(entries.map(\.texts) == [["disk failed"]])
        #expect(CatalogRules.illFormed(entries).isEmpty)
        #expect(CatalogRules.unmatched(entries, Self.ids).isEmpty)
        #expect(CatalogRules.unsaid(entries, [Self.said], table: "| `disk failed` | look |").isEmpty)
    }

    @Test(arguments: [
        (entry(id: "xyz"), "is no id"), (entry() + entry(), "a second entry"),
        (entry(text: ""), "no comment"), (entry(subject: ""), "no Subject"), (entry(body: ""), "no words"),
        (entry(body: "systemctl status worker@x\n"), "a plain @ is written @@"),
        (entry(body: "See @TASKQ_A@ and @_HOSTNAME@.\n"), "@_HOSTNAME@ is no field"),
    ])
    func anIllFormedEntryIsFound(text: String, fault: String) {
        let found = CatalogRules.illFormed(CatalogRules.entries(text))
        #expect(found.contains { $0.message.contains(fault) }, "\(found)")
    }

    @Test func anIdWithoutItsOtherHalfIsFound() {
        let other = String(repeating: "a", count: 32)
        let strange = CatalogRules.entries(Self.entry(id: other))
        #expect(
            CatalogRules.unmatched(strange, Self.ids).map(\.path) == [CatalogRules.ids, CatalogRules.catalog])
        let twice = SourceFile(path: CatalogRules.ids, " case a = \"\(Self.id)\"\n case b = \"\(Self.id)\"\n")
        #expect(CatalogRules.unmatched(CatalogRules.entries(Self.entry()), twice).count == 1)
    }

    @Test func aLineThatNobodySaysOrThatTheTableLacksIsFound() {
        let entries = CatalogRules.entries(Self.entry())
        #expect(CatalogRules.unsaid(entries, [], table: "| `disk failed` | look |").count == 1)
        #expect(CatalogRules.unsaid(entries, [Self.said], table: "The disk failed.").count == 1)
    }

    @Test(arguments: [
        ("logger.error(\"x\")", 1), ("logger.error(\"x\", metadata: CatalogMessage.a.with())", 0),
        ("logger.critical(\n    \"x\",\n    metadata: [:])\nlet y = CatalogMessage.a", 1),
        ("self.init(\n    .error, \"x\",\n    CatalogMessage.a.with())", 0), ("logger.warning(\"x\")", 0),
        ("KeeperNotice(.error, \"x\", [:])", 1),
    ])
    func anErrorWithoutAnExplanationIsFound(code: String, count: Int) {
        let file = SourceFile(path: "Sources/BrokerDaemon/Sample.swift", code + "\n")
        #expect(CatalogRules.unexplained(file).count == count)
        let silent = SourceFile(path: "Sources/AdminCommands/Sample.swift", code + "\n")
        #expect(CatalogRules.unexplained(silent).isEmpty)
    }
}
