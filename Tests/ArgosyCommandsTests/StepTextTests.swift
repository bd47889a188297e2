import ArgosyWire
import Testing

@testable import ArgosyCommands

@Suite struct ProgramFileTests {
    private func programs(_ text: String, tasks: UInt32) throws -> [[String]] {
        try ProgramFile(text, name: "f", tasks: tasks).programs.map { ["\($0.ranks)"] + $0.arguments }
    }

    private func failure(_ text: String, tasks: UInt32) -> String {
        do {
            _ = try ProgramFile(text, name: "f", tasks: tasks)
            return ""
        } catch { return error.message }
    }

    @Test func linesNameRanksAndTheRestIsForTheStar() throws {
        let text = "# c\n\n0 a %t\n3,1 b \\\n %o\n* c\n"
        let expected = [["[0]", "a", "\u{1}t"], ["[3, 1]", "b", "\u{1}o"], ["[2, 4]", "c"]]
        #expect(try programs(text, tasks: 5) == expected)
    }

    @Test func onlySingleQuotesAndBackslashesAreSpecial() throws {
        let words = ProgramFile.words(#"0 'a %t b' "c d" \%t e\ f x\"y a%xb #"#)
        #expect(words == ["0", "a %t b", "\"c", "d\"", "%t", "e f", "x\"y", "ab", "#"])
    }

    @Test func mistakesAreToldInSlurmsWords() {
        #expect(failure("0 a\n", tasks: 2) == "Configuration file f invalid, no record for task id 1")
        #expect(failure("1 a\n", tasks: 1).hasPrefix("Invalid task id, 1 >= ntasks\n"))
        #expect(failure("x a\n", tasks: 1).hasSuffix("Line 1 of configuration file f invalid"))
        #expect(failure("0 a\n0-1 b\n", tasks: 2).hasPrefix("Duplicate record for task 0\n"))
        #expect(failure("0\n", tasks: 1) == "Line 1 of configuration file f invalid")
    }
}

@Suite struct BindingTextTests {
    @Test func aListTakesAllThatFollows() throws {
        let binding = try #require(try BindingText.cpu("verbose,map_cpu:0,0x2,3"))
        #expect(binding.verbose && binding.type == "map_cpu" && binding.list == "0,0x2,3")
        #expect(try BindingText.cpu("mask_cpu:0x3,0x1")?.list == "3,1")
        #expect(try BindingText.cpu("q,cores")?.type == "cores")
    }

    @Test(arguments: ["foo", "map_cpu", "map_cpu:", "cores:1", "v,foo"])
    func whatIsNoBindingIsRefused(_ text: String) {
        #expect(throws: OptionError.self) { try BindingText.cpu(text) }
    }

    @Test func limitsAreChosenByName() throws {
        let limits: [(resource: UInt32, soft: UInt64, hard: UInt64)] = [(3, 1, 1), (4, 2, 2)]
        #expect(LimitNames.chosen("stack", of: limits).map(\.resource) == [3])
        #expect(LimitNames.chosen("NONE", of: limits).isEmpty)
        #expect(LimitNames.chosen("ALL", of: limits).count == 2)
        #expect(throws: OptionError.self) { try LimitNames.checked("STACK,FOO") }
    }
}
