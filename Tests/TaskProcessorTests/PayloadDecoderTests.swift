import TaskProcessor
import TestSupport
import Testing

@Suite struct PayloadDecoderTests {
    /// What a task with this payload decodes as.
    private func decode<Value: Decodable>(_ json: String, as type: Value.Type) throws -> Value {
        var decoded: Value?
        var failure: (any Error)?
        _ = try ServeFixture.serve(ServeFixture.line("a", json)) { task in
            do { decoded = try task.decode(type) } catch { failure = error }
            return .ack
        }
        if let failure { throw failure }
        return try #require(decoded)
    }

    private struct Order: Decodable, Equatable {
        enum Kind: String, Decodable { case small, large }
        struct Item: Decodable, Equatable {
            let name: String
            let price: Double
            let count: UInt8?
        }
        let id: Int64
        let kind: Kind
        let items: [Item]
        let tags: [String: Bool?]
        let note: String?
        let first: Float
    }

    private static let order = """
        {"id":-9007199254740993,"kind":"large","items":[{"name":"caf\\u00e9","price":1.5,"count":255},\
        {"name":"","price":2,"count":null}],"tags":{"a":true,"b":null},"first":0.25,"unknown":{"x":[1]}}
        """

    @Test func nestedTypesAreDecodedAndUnknownMembersIgnored() throws {
        let order = try decode(Self.order, as: Order.self)
        let items = [
            Order.Item(name: "café", price: 1.5, count: 255), Order.Item(name: "", price: 2, count: nil),
        ]
        let expected = Order(
            id: -9_007_199_254_740_993, kind: .large, items: items, tags: ["a": true, "b": nil],
            note: nil, first: 0.25)
        #expect(order == expected)
    }

    @Test(arguments: [
        ("[]", "payload: expected an object, found an array"),
        ("{}", "payload id: is missing"),
        (
            #"{"id":"1"}"#,
            "payload id: expected a whole number from -9223372036854775808 to "
                + "9223372036854775807, found a text"
        ),
        (
            #"{"id":1.5}"#,
            "payload id: expected a whole number from -9223372036854775808 to "
                + "9223372036854775807, found the number 1.5"
        ),
        (#"{"id":1,"kind":"huge"}"#, "payload kind: Cannot initialize Kind from invalid String value huge"),
        (#"{"id":1,"kind":"small","items":{}}"#, "payload items: expected an array, found an object"),
        (
            #"{"id":1,"kind":"small","items":[{"name":null}]}"#,
            "payload items[0].name: expected a text, found null"
        ),
        (
            #"{"id":1,"kind":"small","items":[{"name":"a","price":1},{"name":"b","price":true}]}"#,
            "payload items[1].price: expected a number, found true"
        ),
        (
            #"{"id":1,"kind":"small","items":[{"name":"a","price":1,"count":256}]}"#,
            "payload items[0].count: expected a whole number from 0 to 255, found the number 256"
        ),
        (
            #"{"id":1,"kind":"small","items":[],"tags":{},"first":1e39}"#,
            "payload first: expected a number that a Float can hold, found the number 1e39"
        ),
    ])
    func whatIsWrongIsNamedWithItsPlace(json: String, words: String) throws {
        let error = #expect(throws: PayloadError.self) { try decode(json, as: Order.self) }
        #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [("7.0", 7), ("7e0", 7), ("-0", 0), ("1E2", 100)])
    func aWholeNumberMayBeWrittenInOtherWays(json: String, value: Int) throws {
        #expect(try decode(json, as: Int.self) == value)
    }

    @Test func partsCanBeTakenAsTheyAre() throws {
        struct Envelope: Decodable {
            let kind: String
            let body: TaskPayload
        }
        let envelope = try decode(#"{"kind":"x","body":{"n":1.10}}"#, as: Envelope.self)
        #expect(envelope.body.text == #"{"n":1.10}"#)
        let inner = try envelope.body.decode([String: Double].self)
        #expect(inner == ["n": 1.1])
    }

    @Test func containersOfOnesOwnAreServed() throws {
        struct Pair: Decodable {
            let left: Int
            let right: [Int]
            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                #expect((values.count ?? 0) > 1)
                left = try values.decode(Int.self)
                #expect(try values.decodeNil())
                var rest = try values.nestedUnkeyedContainer()
                var numbers: [Int] = []
                while !rest.isAtEnd { numbers.append(try rest.decode(Int.self)) }
                right = numbers
                #expect(values.isAtEnd)
            }
        }
        let pair = try decode("[1,null,[2,3]]", as: Pair.self)
        #expect(pair.left == 1 && pair.right == [2, 3])
        let error = #expect(throws: PayloadError.self) { try decode("[1,null]", as: Pair.self) }
        #expect(error?.description == "payload [2]: the array ends before it")
    }

    @Test func aCheckOfOnesOwnKeepsItsWords() throws {
        struct Even: Decodable {
            init(from decoder: any Decoder) throws {
                let number = try decoder.singleValueContainer().decode(Int.self)
                guard number.isMultiple(of: 2) else {
                    throw PayloadError(path: "", problem: "\(number) is odd")
                }
            }
        }
        let error = #expect(throws: PayloadError.self) { try decode("3", as: Even.self) }
        #expect(error?.description == "payload: 3 is odd")
    }

    @Test func aLargeObjectIsDecodedInLinearTime() throws {
        let members = (0..<50_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        let decoded = try decode("{\(members)}", as: [String: Int].self)
        #expect(decoded.count == 50_000 && decoded["k49999"] == 49_999)
    }
}
