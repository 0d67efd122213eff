/// What a person sees when the stack is up.
package enum Banner {
    package static func text(
        address: String, pluginFolders: [String], queues: [String], state: String
    ) -> String {
        let served = queues.isEmpty ? "none yet" : queues.joined(separator: ", ")
        return """

              HTTP      http://\(address)
              plugins   \(pluginFolders.joined(separator: ", "))  (\(served))
              state     \(state)
              stop      Ctrl-C

              curl -i http://\(address)/tasks -H 'Content-Type: application/json' \\
                -d '{"title":"Hello","description":"My first task","priority":"low"}'


            """
    }
}
