import Testing

@testable import ArgosyScheduler

private func parsed(_ text: String) -> Constraint? { try? Constraint.parse(text) }

private func refusal(_ text: String) -> String {
    do throws(ConstraintError) {
        _ = try Constraint.parse(text)
        return "accepted"
    } catch { return error.description }
}

@Suite("--constraint") struct ConstraintTests {
    @Test func `every form of the grammar is read`() {
        let (a, b, c) = (Constraint.feature("a"), Constraint.feature("b"), Constraint.feature("c"))
        #expect(parsed("") == nil)
        #expect(parsed("a") == a)
        #expect(parsed(" a & b ") == .all([a, b]))
        #expect(parsed("a,b") == .all([a, b]))
        #expect(parsed("a|b|c") == .any([a, b, c]))
        #expect(parsed("(a|b)&c") == .all([.any([a, b]), c]))
        #expect(parsed("[a|b]") == .sameOne([a, b]))
        #expect(parsed("[(a&b)|c]") == .sameOne([.all([a, b]), c]))
        #expect(parsed("c&[a|b]") == .all([c, .sameOne([a, b])]))
        #expect(parsed("a*4&b*2") == .counts([.init(a, nodes: 4), .init(b, nodes: 2)]))
        #expect(parsed("[a*4&b*2]") == .counts([.init(a, nodes: 4), .init(b, nodes: 2)]))
        #expect(parsed("[(a&b)*4&c*1]") == .counts([.init(.all([a, b]), nodes: 4), .init(c, nodes: 1)]))
        #expect(parsed("c&a*2") == .all([c, .counts([.init(a, nodes: 2)])]))
        #expect(parsed("gpu-a100_80.v2") == .feature("gpu-a100_80.v2"))
    }

    @Test func `operators bind from left to right, as slurmctld answers`() {
        let (a, b, c) = (Constraint.feature("a"), Constraint.feature("b"), Constraint.feature("c"))
        #expect(parsed("a|b&c") == .all([.any([a, b]), c]))
        #expect(parsed("c&a|b") == .any([.all([c, a]), b]))
    }

    @Test(arguments: [
        ("a&", "character 3: a feature is missing at the end"),
        ("&a", "character 1: expected a feature, not \"&\""),
        ("a b", "character 3: expected & or | before \"b\""),
        ("(a", "character 1: ( is not closed by )"),
        ("[a|b", "character 1: [ is not closed by ]"),
        ("a)", "character 2: \")\" closes nothing; remove it or open it before"),
        ("a*0", "character 3: * needs a number of nodes, at least 1"),
        ("a*", "character 3: * needs a number of nodes, at least 1"),
        ("a*2|b*2", "character 4: features with *count are joined with &"),
        ("(a*2)", "character 2: *count is not allowed within parentheses"),
        ("c|[a|b]", "character 3: [...] may be joined with & only"),
        ("[a|b]&[c|d]", "character 7: one [...] is allowed, and not within parentheses"),
        ("!a", "character 1: expected a feature, not \"!\""),
    ]) func `what is wrong is told with its place`(text: String, why: String) {
        #expect(refusal(text) == "constraint \"\(text)\", \(why)")
    }

    @Test func `nesting without end is refused`() {
        #expect(refusal(String(repeating: "(", count: 10_000)).hasSuffix("nested more than 32 deep"))
    }

    @Test func `a kind of node is matched by its features`() throws {
        let table = FeatureTable(["a", "b", "c"] + (0..<100).map { "f\($0)" })
        func match(_ text: String, _ features: [String]) throws -> CompiledConstraint.Match {
            CompiledConstraint(try Constraint.parse(text), table).match(table.set(features))
        }
        #expect(try match("a&b", ["a", "b"]).isCandidate)
        #expect(try !match("a&b", ["a"]).isCandidate)
        #expect(try !match("a&unheard", ["a"]).isCandidate)
        #expect(try match("(a|b)&f99", ["b", "f99"]).isCandidate)
        #expect(try !match("f98&f99", ["f98"]).isCandidate)
        #expect(try match("[a|b|c]", ["b", "c"]) == .init(isCandidate: true, groups: 0b110))
        #expect(try !match("[a|b]", ["c"]).isCandidate)
        #expect(try match("a*2&b*1", ["b"]) == .init(isCandidate: true, groups: 0b10))
        #expect(try match("", []) == .init(isCandidate: true, groups: 1))
    }
}
