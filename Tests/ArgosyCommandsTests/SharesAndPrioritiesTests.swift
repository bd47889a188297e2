import ArgosyWire
import Testing

@testable import ArgosyCommands

private func share(_ account: String, _ user: String, _ depth: UInt32) -> WireShare {
    var share = WireShare()
    (share.account, share.user, share.depth, share.rawShares) = (account, user, depth, "1")
    return share
}

@Suite struct SshareTests {
    private let tree = [
        share("root", "", 0), share("root", "root", 1), share("physics", "", 1), share("physics", "alice", 2),
    ]

    private func text(_ change: (inout SshareOptions) -> Void) throws -> String {
        var options = SshareOptions()
        options.all = true
        options.header = false
        options.style = .parsable2
        options.format = "account,user"
        change(&options)
        return try ShareTable(options).render(Sshare.chosen(tree, options), cluster: "c")
    }

    @Test func linesAreIndentedBelowTheOnesThatAreShown() throws {
        #expect(try text { _ in } == "root|\n root|root\n physics|\n  physics|alice\n")
        #expect(try text { $0.accounts = ["physics"] } == "physics|\n physics|alice\n")
    }

    @Test func usersAloneAreNoTree() throws {
        #expect(try text { $0.usersOnly = true } == "root|root\nphysics|alice\n")
    }
}

@Suite struct SprioTests {
    private var list: WirePriorityList {
        var list = WirePriorityList()
        list.multifactor = true
        for (id, priority) in [(7, 10), (8, 30), (9, 10)] as [(UInt32, UInt64)] {
            var job = WireJobPriority()
            (job.job, job.priority) = (id, priority)
            list.jobs.append(job)
        }
        return list
    }

    private func text(_ sort: String, _ format: String = "%i") throws -> String {
        var options = SprioOptions()
        options.header = false
        options.format = format
        options.sort = sort
        return try Sprio.render(list, options)
    }

    @Test func lettersOfAnOrderMayStandTogether() throws {
        #expect(try text("-yi") == "8\n9\n7\n")
        #expect(try text("-y,i") == "8\n7\n9\n")
        #expect(throws: OptionError.self) { try text("ix") }
    }

    @Test func whatIsNoFieldIsLeftOut() throws { #expect(try text("i", "%i%!z") == "7\n8\n9\n") }
}
