/// What a body has to be before any schema looks at it, and the answers where it is not.
enum BodySyntax {
    static func read(_ bytes: [UInt8]) throws(ValidationFailure) -> JSONTreeBuilder.Tree {
        do throws(JSONError) {
            return try JSONTreeBuilder.build(bytes[...])
        } catch {
            throw failure(error, in: bytes)
        }
    }

    static func failure(_ error: JSONError, in bytes: [UInt8]) -> ValidationFailure {
        switch error.reason {
        case .notUTF8, .tooDeep:
            return .unreadable
        case .loneSurrogate, .duplicateKey, .expectingValue, .expectingPropertyName, .expectingColon,
            .expectingComma,
            .extraData, .unterminatedString, .invalidControlCharacter, .invalidEscape, .invalidUnicodeEscape:
            let offset = bytes.withUnsafeBytes { error.characterOffset(in: $0) }
            return .invalid(
                HTTPValidationError(
                    ValidationError(
                        .jsonInvalid(error.message), at: [.key("body"), .index(offset)],
                        input: Array("{}".utf8))))
        }
    }
}

/// Names every string with half a character in it.
struct LoneSurrogateWalk {
    let offsets: Set<Int>
    var errors = HTTPValidationError()

    mutating func descend(into value: JSONValue, at location: [ValidationError.Step]) {
        guard !errors.isFull else { return }
        switch value.content {
        case .string:
            if offsets.contains(value.rawBytes.startIndex) { note(value, at: location) }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                descend(into: element, at: location + [.index(index)])
            }
        case .object(let members):
            noteObject(value, at: location)
            for member in members { descend(into: member.value, at: location + [.key(member.key)]) }
        case .number, .bool, .null:
            break
        }
    }

    /// An object with such a key is named itself: the key cannot be.
    mutating func noteObject(_ value: JSONValue, at location: [ValidationError.Step]) {
        if offsets.contains(value.rawBytes.startIndex) { note(value, at: location) }
    }

    private mutating func note(_ value: JSONValue, at location: [ValidationError.Step]) {
        errors.add(.stringUnicode, at: location, input: EchoedInput.render(value))
    }
}

/// The schema of a queue that has none: any JSON at all, stored without the white space between its tokens.
package enum AnyJSON {
    /// Appends the stored form of a payload to `output`, or leaves `output` as it is and says what is wrong.
    package static func normalise(
        _ body: UnsafeRawBufferPointer, appendingTo output: inout [UInt8]
    ) throws(ValidationFailure) {
        do throws(JSONError) {
            try JSONCompaction.compact(body, appendingTo: &output)
        } catch {
            let bytes = [UInt8](body)
            guard error.reason == .loneSurrogate else { throw BodySyntax.failure(error, in: bytes) }
            let tree = try BodySyntax.read(bytes)
            var walk = LoneSurrogateWalk(offsets: tree.loneSurrogateValues)
            walk.descend(into: tree.root, at: [.key("body")])
            throw .invalid(walk.errors)
        }
    }
}
