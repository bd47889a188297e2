import ArgosyDomain
import Testing

typealias ExitStatus = ArgosyDomain.ExitStatus

@Suite struct HostlistTests {
    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a,b", ["a", "b"]), ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[1-2,7],login", ["n1", "n2", "n7", "login"]), ("n[08-11]", ["n08", "n09", "n10", "n11"]),
        ("n[001-002]", ["n001", "n002"]), ("r[0-1]n[1-2]", ["r0n1", "r0n2", "r1n1", "r1n2"]),
        ("n[1-2]-ib", ["n1-ib", "n2-ib"]), ("a,,b", ["a", "b"]), ("n[5]", ["n5"]),
    ]) func `a host list names its hosts in order`(_ text: String, _ hosts: [String]) throws {
        #expect(try Hostlist.expand(text) == hosts)
    }

    @Test(arguments: [
        ("n[1-3", "brackets"), ("n1-3]", "brackets"), ("n[[1]]", "brackets"), ("n[3-1]", "backwards"),
        ("n[a-b]", "not a number"), ("n[]", "not a number"), ("n[1,]", "not a number"), ("n[-3]", "not a number"),
        ("n[1-]", "not a number"), (",", "names no host"), ("n[1-99999]", "more than"),
        ("n[0-999]m[0-999]", "more than"), ("n[+1-2]", "not a number"),
    ]) func `a malformed host list says why`(_ text: String, _ why: String) {
        #expect {
            try Hostlist.expand(text)
        } throws: { error in
            "\(error)".contains(why)
        }
    }

    @Test(arguments: [
        (["n1", "n2", "n3"], "n[1-3]"), (["n1"], "n1"), (["n1", "n3"], "n[1,3]"), (["n09", "n10"], "n[09-10]"),
        (["n9", "n10"], "n[9-10]"), (["n1", "n01"], "n[1,01]"), (["a", "b"], "a,b"), ([], ""),
        (["n1", "n2", "login", "n3"], "n[1-2],login,n3"), (["r1n1", "r1n2"], "r1n[1-2]"),
        (["n1-ib", "n2-ib"], "n[1-2]-ib"),
    ]) func `hosts are compressed to the shortest list`(_ hosts: [String], _ text: String) throws {
        #expect(Hostlist.compress(hosts) == text)
        #expect(try Hostlist.expand(text) == hosts)
    }
}

@Suite struct CPUSetTests {
    @Test func `members are what was put in and not taken out`() {
        var set = CPUSet([3, 64, 130, 3])
        #expect(set.members == [3, 64, 130] && set.count == 3 && set.contains(64) && !set.contains(65))
        set.remove(64)
        set.remove(999)
        #expect(set.members == [3, 130])
    }

    @Test func `sets with the same members are equal, whatever their history`() {
        var grown = CPUSet([1, 200])
        grown.remove(200)
        #expect(grown == CPUSet([1]) && grown.hashValue == CPUSet([1]).hashValue)
        grown.remove(1)
        #expect(grown.isEmpty && grown == CPUSet())
    }

    @Test func `union, difference and disjointness work across lengths`() {
        var set = CPUSet([1])
        set.formUnion(CPUSet([100]))
        #expect(set.members == [1, 100])
        set.subtract(CPUSet([1, 300]))
        #expect(set.members == [100])
        #expect(set.isDisjoint(with: CPUSet([1])) && !set.isDisjoint(with: CPUSet([100, 500])))
    }
}

@Suite struct WordTests {
    @Test(arguments: [(0, "0:0"), (0x0700, "7:0"), (9, "0:9"), (0x8b, "0:11"), (0xff00, "255:0")])
    func `a wait status splits into code and signal`(_ status: Int32, _ text: String) {
        #expect(ExitStatus(waitStatus: status).text == text)
    }

    @Test func `a signal is worse than a code, a higher code worse than a lower`() {
        let (ok, one, nine) = (ExitStatus.success, ExitStatus(code: 1), ExitStatus(code: 0, signal: 9))
        #expect(ok.worse(of: one) == one && one.worse(of: nine) == nine && nine.worse(of: one) == nine)
        #expect(one.worse(of: ExitStatus(code: 3)).code == 3)
    }

    @Test func `times saturate instead of trapping`() {
        #expect(Timestamp.never.adding(.seconds(1)) == .never)
        #expect(Timestamp(seconds: 5).adding(.seconds(Int64.max)) == .never)
        #expect(Duration.seconds(Int64.max).microseconds == .max)
        #expect(Timestamp(seconds: .max) == .never)
        #expect(Timestamp.never - Timestamp(microseconds: -1) == .microseconds(Int64.max))
        #expect(Timestamp(seconds: 10) - Timestamp(seconds: 4) == .seconds(6))
    }

    @Test func `states are read by name and by code`() {
        for state in JobState.allCases {
            #expect(JobState(text: state.name.lowercased()) == state)
            #expect(JobState(text: state.code) == state)
        }
        #expect(JobState(text: "NOPE") == nil)
    }
}
