import Testing

@testable import TaskValidation

@Suite struct JSONValueTests {
    private let sample = Array(
        #" { "id": 7, "list" : [ 1.50e3 , "a\u0041\n" ], "none":null, "yes":true } "#.utf8)

    @Test func membersAndElementsAreReadInTheirOrder() throws {
        let value = try JSONValue.parse(sample)
        #expect(value.members?.map(\.key) == ["id", "list", "none", "yes"])
        #expect(value["id"]?.integer() == 7)
        #expect(value["id"]?.integer(UInt8.self) == 7)
        #expect(value["list"]?.elements?.first?.content == .number("1.50e3"))
        #expect(value["list"]?.elements?.first?.double == 1_500)
        #expect(value["list"]?.elements?.last?.string == "aA\n")
        #expect(value["none"]?.isNull == true)
        #expect(value["yes"]?.bool == true)
        #expect(value["other"] == nil)
    }

    @Test func aValueOfAnotherKindGivesNil() throws {
        let value = try JSONValue.parse(Array("[1.5,300]".utf8))
        #expect(value["id"] == nil && value.string == nil && value.bool == nil && value.members == nil)
        #expect(value.elements?.first?.integer() == nil)
        #expect(value.elements?.last?.integer(UInt8.self) == nil)
    }

    @Test func rawBytesAreTheValuesOwnBytesVerbatim() throws {
        let value = try JSONValue.parse(sample)
        #expect(value.rawBytes == ArraySlice(sample.dropFirst().dropLast()))
        #expect(value["list"].map { Array($0.rawBytes) } == Array(#"[ 1.50e3 , "a\u0041\n" ]"#.utf8))
        #expect(value["none"].map { Array($0.rawBytes) } == Array("null".utf8))
    }

    @Test func aSliceIsReadWithIndicesOfItsOwn() throws {
        let value = try JSONValue.parse(Array("xx[true]yy".utf8)[2..<8])
        #expect(value.elements?.first?.rawBytes == Array("xx[true]yy".utf8)[3..<7])
        #expect(value.elements?.first?.rawBytes.startIndex == 3)
    }
}

@Suite struct JSONWriterTests {
    @Test func whatIsWrittenIsReadBackAsItWas() throws {
        let strings = [
            "", "plain", "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}", "é😀\u{2028}",
            String(repeating: "x", count: 5_000),
        ]
        for text in strings {
            var writer = JSONWriter()
            writer.string(text)
            #expect(try JSONValue.parse(writer.bytes).string == text)
        }
    }

    @Test func commasStandBetweenAndNowhereElse() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("a", 1)
        writer.key("b")
        writer.beginArray()
        writer.endArray()
        writer.key("c")
        writer.beginArray()
        writer.null()
        writer.bool(false)
        writer.double(0.5)
        writer.double(.nan)
        writer.beginObject()
        writer.endObject()
        writer.raw(Array("[7]".utf8))
        writer.endArray()
        writer.member("d", "\u{1}")
        writer.member("e", true)
        writer.endObject()
        let expected = #"{"a":1,"b":[],"c":[null,false,0.5,null,{},[7]],"d":"\u0001","e":true}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }
}

@Suite struct JSONCompactionTests {
    @Test(arguments: [
        (" { \"a b\" : [ 1 ,\t2.50 ] , \"c\\\" \" :\r\n\"  \" } ", "{\"a b\":[1,2.50],\"c\\\" \":\"  \"}"),
        ("5", "5"), ("\n\"\\\\\" ", "\"\\\\\""), ("[]", "[]"), (" [ ] ", "[]"), ("1e5", "1e5"),
        ("\"é \"", "\"é \""),
    ])
    func whiteSpaceBetweenTokensGoesAndNothingElse(text: String, expected: String) throws {
        #expect(String(decoding: try JSONCompaction.compact(Array(text.utf8)), as: UTF8.self) == expected)
    }

    @Test func aRefusedTextLeavesTheOutputAlone() {
        var output: [UInt8] = [1, 2]
        for text in ["[1,", "[\"\\ud800\"]", ""] {
            #expect(throws: JSONError.self) {
                try Array(text.utf8).withText { (bytes) throws(JSONError) in
                    try JSONCompaction.compact(bytes, appendingTo: &output)
                }
            }
            #expect(output == [1, 2])
        }
    }
}
