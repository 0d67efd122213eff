internal import TaskValidation

extension TaskPayload: Decodable {
    /// Takes any JSON; only out of a payload.
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? PayloadDecoder else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a TaskPayload is part of a payload"))
        }
        self.init(decoder.value)
    }

    /// As a type of one's own; see ``ReceivedTask/decode(_:)``.
    ///
    /// - Throws: ``PayloadError``, which names the member.
    public func decode<Payload: Decodable>(
        _ type: Payload.Type = Payload.self
    ) throws(PayloadError) -> Payload {
        do {
            return try Payload(from: PayloadDecoder(value, []))
        } catch let error as PayloadError {
            throw error
        } catch let error as DecodingError {
            throw PayloadError(error)
        } catch {
            throw PayloadError(path: "", problem: "\(error)")
        }
    }
}

extension PayloadError {
    init(_ error: DecodingError) {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            self.init(path: Self.path(context.codingPath), problem: context.debugDescription)
        case .keyNotFound(let key, let context):
            self.init(path: Self.path(context.codingPath + [key]), problem: "is missing")
        @unknown case _:
            self.init(path: "", problem: "\(error)")
        }
    }

    /// `items[2].price`.
    private static func path(_ keys: [any CodingKey]) -> String {
        var path = ""
        for key in keys {
            if let index = key.intValue, key is PayloadIndex {
                path += "[\(index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return path
    }
}

/// Reads one JSON value as whatever a type asks for.
struct PayloadDecoder: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ value: JSONValue, _ codingPath: [any CodingKey]) {
        self.value = value
        self.codingPath = codingPath
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let members = value.members else { throw mismatch("an object", type) }
        return KeyedDecodingContainer(PayloadMembers(members, codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = value.elements else { throw mismatch("an array", [JSONValue].self) }
        return PayloadElements(elements, codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func mismatch(_ expected: String, _ type: Any.Type) -> DecodingError {
        let words = "expected \(expected), found \(found)"
        return .typeMismatch(type, .init(codingPath: codingPath, debugDescription: words))
    }

    private var found: String {
        switch value.content {
        case .object: "an object"
        case .array: "an array"
        case .string: "a text"
        case .number(let text): "the number \(text.prefix(32))"
        case .bool(let flag): "\(flag)"
        case .null: "null"
        }
    }
}

extension PayloadDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard let flag = value.bool else { throw mismatch("true or false", type) }
        return flag
    }

    func decode(_ type: String.Type) throws -> String {
        guard let text = value.string else { throw mismatch("a text", type) }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double { try number(type) }
    func decode(_ type: Float.Type) throws -> Float { try number(type) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
    func decode(_ type: Int128.Type) throws -> Int128 { try integer(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try integer(type) }

    func decode<Value: Decodable>(_: Value.Type) throws -> Value { try Value(from: self) }

    private func number<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: Number.Type
    ) throws -> Number {
        guard case .number(let text) = value.content, let number = Number(text) else {
            throw mismatch("a number", type)
        }
        guard number.isFinite else { throw mismatch("a number that a \(type) can hold", type) }
        return number
    }

    /// `7`, and `7.0` and `7e0` as well, which some clients write for it.
    private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        if let integer = value.integer(type) { return integer }
        guard let number = value.double, let integer = Integer(exactly: number) else {
            throw mismatch("a whole number from \(Integer.min) to \(Integer.max)", type)
        }
        return integer
    }
}
