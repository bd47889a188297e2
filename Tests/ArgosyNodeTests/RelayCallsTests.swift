import ArgosyWire
import Testing

@testable import ArgosyNode

@Suite struct RelayCallsTests {
    private let job = AttemptID(7, 0)

    @Test func `an answer finds its relay's own channel, once`() throws {
        var calls = RelayCalls()
        let asked = calls.add(job, channel: 3, uid: 1000, [1], isSent: true)
        let request = try #require(asked)
        let (first, second) = (calls.answered(request.channel), calls.answered(request.channel))
        #expect(first?.channel == 3)
        #expect(second == nil)
    }

    @Test func `the controller hears of an asker that went away, under the number it knows`() throws {
        var calls = RelayCalls()
        let asked = calls.add(job, channel: 3, uid: 1000, [1], isSent: true)
        let request = try #require(asked)
        let (end, late) = (calls.abandoned(job, channel: 3), calls.answered(request.channel))
        #expect(end?.channel == request.channel)
        #expect(end?.request.isEmpty == true)
        #expect(late == nil)
    }

    @Test func `an asker that went away before it was heard asks nothing`() {
        var calls = RelayCalls()
        _ = calls.add(job, channel: 3, uid: 1000, [1], isSent: false)
        let (end, unsent) = (calls.abandoned(job, channel: 3), calls.takeUnsent())
        #expect(end == nil)
        #expect(unsent.isEmpty)
    }

    @Test func `another job's channel of the same number is left alone`() throws {
        var calls = RelayCalls()
        let asked = calls.add(job, channel: 3, uid: 1000, [1], isSent: true)
        let request = try #require(asked)
        let (stranger, own) = (calls.abandoned(AttemptID(8, 0), channel: 3), calls.answered(request.channel))
        #expect(stranger == nil)
        #expect(own != nil)
    }
}
