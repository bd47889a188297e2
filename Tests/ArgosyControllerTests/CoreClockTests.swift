import ArgosyDomain
import Testing

@testable import ArgosyController

@Suite struct CoreClockTests {
    private let second: Int64 = 1_000_000
    private let hour: Int64 = 3_600_000_000

    @Test func `time never goes back, whatever the wall clock does`() {
        var clock = CoreClock(wall: 100 * hour, boot: 0, notBefore: .unset)
        var last = Timestamp.unset
        for step in 1...1000 {
            let wall = 100 * hour + (step % 2 == 0 ? -hour : hour)
            let now = clock.now(wall: wall, boot: Int64(step) * 1000)
            #expect(now >= last)
            last = now
        }
    }

    @Test(arguments: [1, -1]) func `an hour's step moves time by a sixty-fourth at most`(_ direction: Int64) {
        var clock = CoreClock(wall: 100 * hour, boot: 0, notBefore: .unset)
        let now = clock.now(wall: 100 * hour + 64 * second + direction * hour, boot: 64 * second)
        #expect(now == Timestamp(microseconds: 100 * hour + 64 * second + direction * second))
    }

    @Test func `a start before the last stored time goes on from there`() {
        var clock = CoreClock(wall: 10 * hour, boot: 5, notBefore: Timestamp(microseconds: 11 * hour))
        #expect(clock.now(wall: 10 * hour, boot: 5) == Timestamp(microseconds: 11 * hour))
    }

    @Test func `time meets the wall clock and stays with it`() {
        var clock = CoreClock(wall: 0, boot: 0, notBefore: .unset)
        var now = Timestamp.unset
        for tick in 1...200 { now = clock.now(wall: Int64(tick) * second + second, boot: Int64(tick) * second) }
        #expect(now == Timestamp(microseconds: 201 * second))
    }
}
