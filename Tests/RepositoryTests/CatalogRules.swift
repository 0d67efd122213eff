/// journald's catalog, the ids in the sources, the lines that carry them, and the table for admins.
enum CatalogRules {
    static let catalog = "systemd/taskq.catalog"
    static let ids = "Sources/ServiceLog/CatalogMessage.swift"
    static let table = "docs/OPERATIONS.md"

    struct Entry {
        let line: Int
        let id: String
        /// The texts of log lines that carry the id: the comments right before the entry.
        let texts: [String]
        let header: [String: String]
        let body: [String]
    }

    /// The entries of a catalog; what is no entry stands in none.
    static func entries(_ text: String) -> [Entry] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let starts = lines.indices.filter { lines[$0].hasPrefix("-- ") }
        return starts.enumerated().map { number, start in
            let comments = lines[..<start].reversed().prefix { $0.hasPrefix("# ") }
            let next = number + 1 < starts.count ? starts[number + 1] : lines.count
            let content = lines[(start + 1)..<next].filter { !$0.hasPrefix("#") }
            let head = content.prefix { !$0.isEmpty }
            let pairs = head.compactMap { line -> (String, String)? in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                return (String(line[..<colon]), String(value))
            }
            return Entry(
                line: start + 1, id: String(lines[start].dropFirst(3)),
                texts: comments.reversed().map { String($0.dropFirst(2)) },
                header: Dictionary(pairs, uniquingKeysWith: { first, _ in first }),
                body: content.dropFirst(head.count).filter { !$0.isEmpty })
        }
    }

    /// Each entry by itself: an id, a subject, who defined it, what to do, and placeholders that are fields.
    static func illFormed(_ entries: [Entry]) -> [Violation] {
        var seen: Set<String> = []
        return entries.flatMap { entry -> [Violation] in
            var faults: [String] = []
            let isID = entry.id.utf8.count == 32 && entry.id.allSatisfy { "0123456789abcdef".contains($0) }
            if !isID { faults.append("'\(entry.id)' is no id of 32 hexadecimal digits") }
            if !seen.insert(entry.id).inserted { faults.append("a second entry of \(entry.id)") }
            if entry.header["Subject"]?.isEmpty != false { faults.append("no Subject") }
            if entry.header["Defined-By"] != "taskq" { faults.append("not Defined-By: taskq") }
            if entry.header["Documentation"]?.hasPrefix("man:taskq") != true {
                faults.append("no manual page")
            }
            if entry.body.isEmpty { faults.append("no words on what to do") }
            if entry.texts.isEmpty { faults.append("no comment with the line that carries it") }
            let words = [entry.header["Subject"] ?? ""] + entry.body
            faults += words.flatMap(placeholders).filter { !$0.hasPrefix("TASKQ_") }.map {
                "@\($0)@ is no field of taskq's; a plain @ is written @@"
            }
            return faults.map { Violation(path: catalog, line: entry.line, message: $0) }
        }
    }

    /// The names between single at signs; two in a row are one of the text's own.
    private static func placeholders(_ line: String) -> [String] {
        var names: [String] = []
        var rest = line[...]
        while let start = rest.firstIndex(of: "@") {
            let after = rest[rest.index(after: start)...]
            if after.first == "@" {
                rest = after.dropFirst()
                continue
            }
            let name = after.prefix { $0 != "@" }
            names.append(String(name))
            rest = after.dropFirst(name.count + 1)
        }
        return names
    }

    /// Ids of the sources without an entry, and entries of which the sources know nothing.
    static func unmatched(_ entries: [Entry], _ file: SourceFile) -> [Violation] {
        let known = file.lines.compactMap { line -> String? in
            guard line.contains(" case "), let quote = line.firstIndex(of: "\"") else { return nil }
            return String(line[line.index(after: quote)...].prefix { $0 != "\"" })
        }
        let explained = entries.map(\.id)
        return known.filter { !explained.contains($0) }.map {
            Violation(path: ids, line: 0, message: "\($0) has no entry in \(catalog)")
        }
            + entries.filter { !known.contains($0.id) }.map {
                Violation(path: catalog, line: $0.line, message: "\($0.id) is not in \(ids)")
            }
            + Set(known).filter { id in known.filter { $0 == id }.count > 1 }.map {
                Violation(path: ids, line: 0, message: "\($0) stands for two messages")
            }
    }

    /// A line of the catalog that no program says, or that the table for admins does not have.
    static func unsaid(_ entries: [Entry], _ sources: [SourceFile], table text: String) -> [Violation] {
        let said = sources.filter { $0.isSwift && $0.path.hasPrefix("Sources/") }.flatMap(\.lines)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        return entries.flatMap { entry in
            entry.texts.flatMap { line -> [Violation] in
                var faults: [String] = []
                if !said.contains(where: { $0.contains("\"\(line)\"") }) {
                    faults.append("no program says \"\(line)\"")
                }
                if !rows.contains(where: { $0.contains("`\(line)`") }) {
                    faults.append("\(table) has no row for `\(line)`")
                }
                return faults.map { Violation(path: catalog, line: entry.line, message: $0) }
            }
        }
    }

    /// A line of level error or critical is one that somebody has to act on: it carries a message of the
    /// catalog.
    static func unexplained(_ file: SourceFile) -> [Violation] {
        guard let module = file.module, file.isSwift, !silent.contains(module) else { return [] }
        return file.code.enumerated().compactMap { index, line in
            let beginsInside = arguments.contains { line.drop { $0 == " " }.hasPrefix($0) }
            guard beginsInside || calls.contains(where: line.contains) else { return nil }
            var depth = beginsInside ? 1 : 0
            for later in file.code[index...] {
                if later.contains("CatalogMessage.") { return nil }
                depth += later.filter { $0 == "(" }.count - later.filter { $0 == ")" }.count
                if depth <= 0 { break }
            }
            let message = "a line of this level carries a CatalogMessage, which says what to do"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    private static let calls = ["logger.error(", "logger.critical(", "(.error,", "(.critical,"]
    private static let arguments = [".error,", ".critical,"]

    /// `taskq` itself talks to whoever typed the command; a library's user has no catalog of ours.
    private static let silent: Set<String> = ["AdminCommands", "TaskProcessor", "plugins"]
}
