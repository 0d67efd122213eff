private import TaskValidation

extension HTTPResponse {
    /// What an error says about itself, in one line: `title: Field required; priority: Input should be …`.
    ///
    /// The body as it is where it has not the API's shape.
    package var detailText: String {
        let raw = String(decoding: body.filter { $0 >= 0x20 }, as: UTF8.self)
        guard let json = try? JSONValue.parse(body), let detail = json["detail"]  // ignoring: shown as it is
        else { return raw }
        if let text = detail.string { return text }
        let sentences = (detail.elements ?? []).compactMap(Self.sentence)
        return sentences.isEmpty ? raw : sentences.joined(separator: "; ")
    }

    /// The place in the body, the message, and what the parser adds to it.
    private static func sentence(_ problem: JSONValue) -> String? {
        guard let message = problem["msg"]?.string else { return nil }
        let steps = (problem["loc"]?.elements ?? []).map { step in
            step.string ?? String(decoding: step.rawBytes, as: UTF8.self)
        }
        let place = steps.drop { $0 == "body" }.joined(separator: ".")
        let cause = problem["ctx"]?["error"]?.string.map { " (\($0))" } ?? ""
        return (place.isEmpty ? "" : "\(place): ") + message + cause
    }
}
