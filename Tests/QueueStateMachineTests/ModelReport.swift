/// What a failure prints: the seed, and a list to paste into a test of its own.
enum ModelReport {
    static func text(seed: UInt64, _ commands: [ModelCommand], _ failure: ModelDisagreement) -> String {
        """
        TASKQ_MODEL_SEED=\(seed) TASKQ_MODEL_COUNT=1: \(failure.description)
        \(list(commands))
        """
    }

    static func list(_ commands: [ModelCommand]) -> String {
        "[\n" + commands.map { "    .\(source($0)),\n" }.joined() + "]"
    }

    /// Swift prints payloads with the names of their types, which a reader of the list can do without.
    private static func source(_ command: ModelCommand) -> String {
        "\(command)".replacing("QueueStateMachineTests.ModelAnswer", with: "")
            .replacing("QueueStateMachineTests.ModelPause", with: "")
    }
}
