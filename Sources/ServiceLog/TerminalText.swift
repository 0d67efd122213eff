/// Text from anywhere made fit for a terminal.
package enum TerminalText {
    /// Control characters, escape sequences and marks that turn the direction of writing are spelled out:
    /// what a task or a processor says cannot move the cursor, recolour the screen or begin a new line.
    package static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": shown += "\\n"
            case "\r": shown += "\\r"
            case "\t": shown += "\\t"
            case _ where isUnsafe(scalar): shown += "\\u{\(String(scalar.value, radix: 16))}"
            case _: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // C0, DEL and C1.
        case 0..<0x20, 0x7F..<0xA0: true
        // Marks, embeddings and isolates of direction; line and paragraph separators; the byte order mark.
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        case _: false
        }
    }
}
