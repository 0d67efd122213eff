import ProcessorSupervision
import Testing

@Suite struct ShebangTests {
    @Test(arguments: [
        ("#!/bin/sh\nx", "/bin/sh", "", false), ("#! /bin/sh -e \nx", "/bin/sh", "-e ", false),
        ("#!/bin/sh\r\nx", "/bin/sh", "", true),
        ("#!/usr/bin/env python3\n", "/usr/bin/env", "python3", false),
        ("#!.venv/bin/python", ".venv/bin/python", "", false),
    ])
    func interpreterAndArgumentAreRead(
        head: String, interpreter: String, argument: String, carriageReturn: Bool
    ) throws {
        let shebang = try #require(Shebang(head: Array(head.utf8)))
        #expect(shebang.interpreter == interpreter)
        #expect(shebang.argument == argument)
        #expect(shebang.endsInCarriageReturn == carriageReturn)
    }

    @Test(arguments: ["", "#", "#!", "#!\n", "#! \t\n/bin/sh", " #!/bin/sh", "\u{FEFF}#!/bin/sh"])
    func anythingElseIsNone(head: String) {
        #expect(Shebang(head: Array(head.utf8)) == nil)
    }

    @Test(
        arguments: [
            ("#!/usr/bin/env python3", "python3"), ("#!/usr/bin/env -S python3 -u", "python3"),
            ("#!/usr/bin/env A=1 node", "node"), ("#!/bin/sh", nil), ("#!/usr/bin/env", nil),
        ] as [(String, String?)])
    func whatEnvLooksForIsKnown(head: String, program: String?) throws {
        #expect(try #require(Shebang(head: Array(head.utf8))).environmentProgram == program)
    }

    @Test(arguments: [
        (ProgramFacts(path: "/p", kind: .missing, head: []), "missing"),
        (ProgramFacts(path: "/p", kind: .directory, head: []), "directory"),
        (ProgramFacts(path: "/p", kind: .file(isExecutable: false), head: []), "chmod +x /p"),
        (
            ProgramFacts(
                path: "/p", kind: .file(isExecutable: true), head: Array("#!/x\n".utf8),
                interpreterIsThere: false), "interpreter /x"
        ),
        (
            ProgramFacts(
                path: "/p", kind: .file(isExecutable: true), head: Array("#!/usr/bin/env y\n".utf8),
                environmentProgramIsThere: false), "y, the interpreter of /p"
        ),
        (
            ProgramFacts(path: "/p", kind: .file(isExecutable: true), head: Array("#!/bin/sh\r\n".utf8)),
            "sed -i"
        ),
    ])
    func aProblemNamesItsCure(facts: ProgramFacts, words: String) throws {
        let problem = try #require(StartProblem(seenIn: facts))
        #expect(problem.sentence.contains(words))
    }

    @Test(
        arguments: [[0x7F, 0x45, 0x4C, 0x46, 2], Array("#!/bin/sh\n".utf8), [], [0xCA, 0xFE, 0xBA, 0xBE]]
            as [[UInt8]])
    func nothingStandsAgainstAScriptOrABinary(head: [UInt8]) {
        let facts = ProgramFacts(path: "/p", kind: .file(isExecutable: true), head: head)
        #expect(StartProblem(seenIn: facts) == nil)
    }
}
