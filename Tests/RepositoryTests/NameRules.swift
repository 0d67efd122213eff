/// Names that say nothing, and the one name that is Swift's own.
enum NameRules {
    static let emptyWords = ["Manager", "Helper", "Helpers", "Util", "Utils", "Common"]
    private static let declarations = ["struct", "class", "enum", "actor", "protocol", "typealias"]

    static func fileName(_ path: String) -> [Violation] {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return emptyWords.filter { name.contains($0) || name.contains($0.lowercased() + ".") }.map { word in
            Violation(path: path, line: 0, message: "'\(word)' in a file name: name the noun")
        }
    }

    static func typeNames(_ file: SourceFile) -> [Violation] {
        guard file.isSwift else { return [] }
        return file.code.enumerated().flatMap { index, line in
            declaredTypes(in: line).compactMap { name -> Violation? in
                if name == "Task" {
                    let message = "a type called Task hides Swift's: say which, as in NewTask"
                    return Violation(path: file.path, line: index + 1, message: message)
                }
                guard let word = emptyWords.first(where: { name.hasSuffix($0) }) else { return nil }
                return Violation(
                    path: file.path, line: index + 1, message: "'\(word)' in \(name): name the noun")
            }
        }
    }

    private static func declaredTypes(in line: String) -> [String] {
        let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        return zip(words, words.dropFirst()).filter { declarations.contains(String($0.0)) }.map {
            String($0.1)
        }
    }
}
