import ArgosyDomain
import Testing

@Suite struct JobDependencyTests {
    @Test(arguments: [
        ("afterok:1", "afterok:1(unfulfilled)"), ("AfterOK:1:2", "afterok:1(unfulfilled),afterok:2(unfulfilled)"),
        ("after:1+5", "after:1+5(unfulfilled)"), ("afterany:1_3", "afterany:1_3(unfulfilled)"),
        ("aftercorr:1_*", "aftercorr:1_*(unfulfilled)"), ("singleton", "singleton(unfulfilled)"),
        ("afterok:9_[1-2,4]", "afterok:9_1(unfulfilled),afterok:9_2(unfulfilled),afterok:9_4(unfulfilled)"),
        ("afterok:1?afternotok:2", "afterok:1(unfulfilled)?afternotok:2(unfulfilled)"),
        ("afterburstbuffer:7,singleton", "afterburstbuffer:7(unfulfilled),singleton(unfulfilled)"),
        ("afterok:3(failed)?afterany:4_*+2(unfulfilled)", "afterok:3(failed)?afterany:4_*+2(unfulfilled)"), ("", ""),
    ])
    func `dependencies are read and shown as squeue shows them`(text: String, shown: String) throws {
        let dependency = try JobDependency(parsing: text)
        #expect(dependency.text == shown)
        #expect(try JobDependency(parsing: dependency.storedText) == dependency)
    }

    @Test(arguments: [
        "foo", "afterok", "afterok:", "afterok:x", "afterok:0", "afterok:1:", "after:1+", "after:1+x", "afterok:1,",
        "singleton:3", "afterok:1_", "afterok:1_[", "afterok:1_[3-1]", "afterok:1_[a]", "afterok:99999999999", ",", "?",
        "afterok:1,afterany:2?singleton", "afterok:1_[1-4000000]", "expand:3", "afterok:-1",
    ])
    func `what cannot be read is refused with a reason`(text: String) {
        let error = #expect(throws: JobDependency.Malformed.self) { try JobDependency(parsing: text) }
        #expect(error?.description.isEmpty == false)
    }

    @Test func `a seen failure survives storing and is not shown`() throws {
        var dependency = try JobDependency(parsing: "afternotok:9_*")
        dependency.terms[0].sawFailure = true
        #expect(dependency.text == "afternotok:9_*(unfulfilled)")
        #expect(try JobDependency(parsing: dependency.storedText) == dependency)
    }

    @Test func `all need every term and any needs one`() throws {
        #expect(try JobDependency(parsing: "afterok:1(failed),afterok:2").isHopeless)
        #expect(try !JobDependency(parsing: "afterok:1(failed)?afterok:2").isHopeless)
        #expect(try JobDependency(parsing: "afterok:1(failed)?afterok:2(failed)").isHopeless)
    }
}
