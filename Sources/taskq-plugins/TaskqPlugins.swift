import Glibc
import PluginKeeper

@main enum TaskqPlugins {
    static func main() {
        exit(KeeperProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
