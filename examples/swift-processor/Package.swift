// swift-tools-version: 6.2
import PackageDescription

let library = Target.Dependency.product(name: "TaskProcessor", package: "taskq")

let package = Package(
    name: "processors",
    dependencies: [
        // Wherever taskq's checkout is; nothing else is fetched, for the library depends on nothing else.
        .package(name: "taskq", path: "../..")
    ],
    targets: [
        .executableTarget(name: "greeter", dependencies: [library]),
        .executableTarget(name: "sleeper", dependencies: [library]),
    ]
)
