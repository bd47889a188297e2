import ArgosyWire
import Testing

@testable import ArgosyNode

@Suite struct RelayCallsTests {
    private let job = AttemptID(7, 0)

    @Test func `an answer finds its relay's own channel, once`() throws {
        var calls = RelayCalls()
        let request = try #require(calls.add(job, channel: 3, uid: 1000, [1], isSent: true))
        let call = try #require(calls.answered(request.channel))
        #expect(call.channel == 3)
        #expect(calls.answered(request.channel) == nil)
    }

    @Test func `the controller hears of an asker that went away, under the number it knows`() throws {
        var calls = RelayCalls()
        let request = try #require(calls.add(job, channel: 3, uid: 1000, [1], isSent: true))
        let end = try #require(calls.abandoned(job, channel: 3))
        #expect(end.channel == request.channel)
        #expect(end.request.isEmpty)
        #expect(calls.answered(request.channel) == nil)
    }

    @Test func `an asker that went away before it was heard asks nothing`() throws {
        var calls = RelayCalls()
        _ = try #require(calls.add(job, channel: 3, uid: 1000, [1], isSent: false))
        #expect(calls.abandoned(job, channel: 3) == nil)
        #expect(calls.takeUnsent().isEmpty)
    }

    @Test func `another job's channel of the same number is left alone`() throws {
        var calls = RelayCalls()
        let request = try #require(calls.add(job, channel: 3, uid: 1000, [1], isSent: true))
        #expect(calls.abandoned(AttemptID(8, 0), channel: 3) == nil)
        #expect(calls.answered(request.channel) != nil)
    }
}
