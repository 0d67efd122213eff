private import AdminCommands
private import Glibc

@main
enum Taskq {
    static func main() {
        exit(AdminProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
