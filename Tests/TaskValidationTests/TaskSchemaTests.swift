import TaskModel
import Testing

@testable import TaskValidation

@Suite struct TaskSchemaTests {
    private static let now = WallTime(rawValue: fixtureNow)
    private let id = TaskID(high: 0x0198_F6E2_7C1A_7D54, low: 0x9B3E_0F2A_6C8D_4E10)

    private func answer(_ body: String) -> String { answer(Array(body.utf8)) }

    /// The stored bytes, or the 422's body, or "400".
    private func answer(_ body: [UInt8]) -> String {
        do throws(ValidationFailure) {
            return String(decoding: try TaskSchema.normalise(body, id: id, now: Self.now), as: UTF8.self)
        } catch {
            switch error {
            case .unreadable: return "400"
            case .invalid(let errors): return String(decoding: errors.json, as: UTF8.self)
            }
        }
    }

    @Test func everyBodyIsStoredOrRefusedAsFastAPIDoesByteForByte() throws {
        let cases = try FixtureTable.read("bodies")
        #expect(cases.count >= 200)
        for row in cases {
            let body = try #require(row["body"]?.string)
            let result = answer(body)
            guard let stored = row["stored"]?.elements else {
                #expect(result == row["answer"]?.string, "\(body)")
                continue
            }
            let task = try JSONValue.parse(Array(result.utf8))
            #expect(
                task.members?.map(\.key) == ["task_id", "title", "description", "priority", "due_date"],
                "\(body)")
            #expect(task.members?.dropFirst().map(\.value.content) == stored.map(\.content), "\(body)")
        }
    }

    @Test func theStoredFormHasItsKeysInOrderAndStringsAsTheyWereWritten() {
        let body = """
             { "due_date" : "2030-01-01T00:00:00.5" , "x": [1], "priority":"l\\u006fw",
            "description":"\\/\\u00e9é\\n", "title":"\\ud83d\\ude00 \\"q\\"" }
            """
        let expected =
            #"{"task_id":"0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10","title":"\ud83d\ude00 \"q\"","#
            + #""description":"\/\u00e9é\n","priority":"l\u006fw","#
            + #""due_date":"2030-01-01T00:00:00.500000+00:00"}"#
        #expect(answer(body) == expected)
        let plain = #"{"title":"a","description":"b","priority":"low"}"#
        #expect(
            answer(plain)
                == #"{"task_id":"0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10","title":"a","description":"b","#
                + #""priority":"low","due_date":null}"#)
    }

    @Test func theIDPrefixIsAllThatDiffersBetweenTwoPostsOfOneBody() throws {
        let body = Array(#"{"title":"a","description":"b","priority":"low"}"#.utf8)
        let first = try TaskSchema.normalise(body, id: id, now: Self.now)
        let second = try TaskSchema.normalise(body, id: TaskID(high: 1, low: 2), now: Self.now)
        #expect(first.dropFirst(TaskSchema.idPrefixBytes) == second.dropFirst(TaskSchema.idPrefixBytes))
        #expect(first.dropFirst(TaskSchema.idPrefixBytes).starts(with: Array("\"title\":".utf8)))
        #expect(first != second)
    }

    @Test(arguments: [
        ("2027-01-01T00:00:00.001Z", false), ("2027-01-01T00:00:00.001001Z", true),
        ("2027-01-01T00:00:00.000999Z", false),
    ])
    func aDueDateHasToLieAfterNow(due: String, isAccepted: Bool) {
        let body = #"{"title":"a","description":"b","priority":"low","due_date":"\#(due)"}"#
        let accepted = try? TaskSchema.normalise(  // ignoring: the error's words are tested elsewhere
            Array(body.utf8), id: id, now: WallTime(rawValue: fixtureNow + 1))
        #expect((accepted != nil) == isAccepted)
    }

    @Test(arguments: [
        (#"{"title":"a","title":"b","description":"c","priority":"low"}"#, 13, "Duplicate key"),
        (#"{"title":NaN,"description":"c","priority":"low"}"#, 9, "Expecting value"),
        (#"{"é":-Infinity}"#, 5, "Expecting value"),
    ])
    func whatIsNoStrictJSONIsNamedWithItsCharacter(body: String, offset: Int, message: String) {
        let expected =
            #"{"detail":[{"type":"json_invalid","loc":["body",\#(offset)],"msg":"JSON decode error","#
            + #""input":{},"ctx":{"error":"\#(message)"}}]}"#
        #expect(answer(body) == expected)
    }

    @Test func bodiesThatCannotBeReadAre400() {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(answer(deep) == "400")
        #expect(answer(#"{"x":"# + deep.dropFirst().dropLast() + "}") == "400")
        #expect(answer([0xEF, 0xBB, 0xBF, 0x7B, 0x7D]) == "400")
        #expect(answer([0x7B, 0x00, 0x7D, 0x00]) == "400")
        #expect(answer([0x7B, 0x22, 0xFF, 0x22]) == "400")
    }

    @Test(arguments: [
        (#"{"title":"a\ud800b","description":"c","priority":"low"}"#, [#"["body","title"]"#], #""ab""#),
        (#"{"title":"a","description":"c","priority":"\udfff"}"#, [#"["body","priority"]"#], #""""#),
        (
            #"{"title":"a","description":"c","priority":"low","due_date":"\ud800"}"#,
            [#"["body","due_date"]"#], #""""#
        ),
        (
            #"{"title":"a","description":"c","priority":"low","x":[1,{"y":"\ud800"}]}"#,
            [#"["body","x",1,"y"]"#], #""""#
        ),
        (#"{"title":"a","description":"c","priority":"low","\ud800":0}"#, [#"["body"]"#], #"{"title":"a""#),
        (
            #"{"title":"\ud800","description":"\ud800","priority":"low"}"#,
            [#"["body","title"]"#, #"["body","description"]"#], #""""#
        ),
    ])
    func halfACharacterIsNamedWhereverItStands(body: String, locations: [String], input: String) throws {
        let result = answer(body)
        for location in locations {
            let error =
                #"{"type":"string_unicode","loc":\#(location),"msg":"Input should be a valid string, "#
                + #"unable to parse raw data as a unicode string","input":\#(input)"#
            #expect(result.contains(error), "\(result)")
        }
        #expect(try JSONValue.parse(Array(result.utf8))["detail"]?.elements?.count == locations.count)
    }

    @Test func echoedInputIsCutAt1KiB() throws {
        let long = String(repeating: "é", count: 2_000)
        for body in [
            #"{"title":"\#(long)","description":"c","priority":"low"}"#,
            #"{"title":["\#(long)"],"description":"c","priority":"low"}"#,
            #"{"description":"\#(long)","priority":"low"}"#, "[\"\(long)\"]",
        ] {
            let errors = try JSONValue.parse(Array(answer(body).utf8))
            let input = try #require(errors["detail"]?.elements?.first?["input"])
            #expect(input.string != nil)
            #expect((1_000...1_026).contains(input.rawBytes.count), "\(input.rawBytes.count)")
            #expect(input.string?.contains("\u{FFFD}") == false)
        }
    }

    @Test func atMost100ErrorsAreListed() throws {
        let fields = (0..<300).map { #""k\#($0)":"\ud800""# }.joined(separator: ",")
        let errors = try JSONValue.parse(Array(answer("{\(fields)}").utf8))
        #expect(errors["detail"]?.elements?.count == 100)
    }

    @Test func aBodyThatIsNotJSONByItsTypeIsEchoedAsAString() {
        let error = TaskSchema.notJSON(Array("title=\"x\"".utf8)[...])
        let expected =
            #"{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid "#
            + #"dictionary or object to extract fields from","input":"title=\"x\""}]}"#
        #expect(String(decoding: error.json, as: UTF8.self) == expected)
        let missing = #"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#
        #expect(String(decoding: TaskSchema.missingBody.json, as: UTF8.self) == missing)
    }

    @Test(arguments: [
        (1e16, "1e+16"), (1e15, "1000000000000000.0"), (123_456_789_012_345_677.0, "1.2345678901234568e+17"),
        (1e-5, "1e-05"), (0.0001, "0.0001"), (-0.0, "-0.0"), (0.0, "0.0"), (1e22, "1e+22"),
        (Double.leastNonzeroMagnitude, "5e-324"),
        (-1.5e300, "-1.5e+300"), (100.25, "100.25"), (9_007_199_254_740_992.0, "9007199254740992.0"),
        (0.001234, "0.001234"), (1.0, "1.0"), (1e100, "1e+100"),
    ])
    func numbersAreEchoedAsPythonShowsThem(value: Double, expected: String) {
        #expect(EchoedInput.pythonRepresentation(value) == expected)
    }
}

@Suite struct AnyJSONTests {
    private func answer(_ body: String) -> String {
        var output: [UInt8] = []
        do throws(ValidationFailure) {
            try Array(body.utf8).withText { (bytes) throws(ValidationFailure) in
                try AnyJSON.normalise(bytes, appendingTo: &output)
            }
            return String(decoding: output, as: UTF8.self)
        } catch {
            switch error {
            case .unreadable: return "400"
            case .invalid(let errors): return String(decoding: errors.json, as: UTF8.self)
            }
        }
    }

    @Test func anyJSONIsStoredWithoutWhiteSpaceAndOtherwiseUntouched() {
        #expect(answer(" { \"b\" : 1.50 , \"a\" : \"\\u0041 \" } ") == #"{"b":1.50,"a":"\u0041 "}"#)
        #expect(answer(" null ") == "null")
    }

    @Test func errorsHaveTheSameShapesAsAnySchemas() {
        #expect(answer("[1,").contains(#""loc":["body",3],"msg":"JSON decode error""#))
        #expect(answer(#"[0,{"a":"\udead"}]"#).contains(#"{"type":"string_unicode","loc":["body",1,"a"]"#))
        #expect(answer("\u{FEFF}1") == "400")
    }
}
