import ArgosyDomain
import Testing

@Suite struct CronScheduleTests {
    /// 2026-11-21 16:20:30 UTC, a Saturday.
    private static let now = Timestamp(seconds: 1_795_278_030)
    private static let utc = TimeZoneOffsets()

    private func next(_ text: String, after time: Timestamp = now, _ zone: TimeZoneOffsets = utc) throws -> Int64? {
        try CronSchedule(text).next(after: time, zone).map { $0.seconds - Self.now.seconds + 30 }
    }

    @Test(
        arguments: [
            ("* * * * *", 60), ("*/15 * * * *", 600), ("20 * * * *", 3600), ("0 17 * * *", 40 * 60),
            ("@hourly", 40 * 60),
            ("@daily", 7 * 3600 + 40 * 60), ("0 0 * * sun", 7 * 3600 + 40 * 60), ("0 0 * * 7", 7 * 3600 + 40 * 60),
            ("0 0 22 11 *", 7 * 3600 + 40 * 60), ("0 0 1 dec *", 9 * 86400 + 7 * 3600 + 40 * 60),
            ("30-40/5 16 * * 6", 600), ("@weekly", 7 * 3600 + 40 * 60), ("0 0 23 * mon", 86400 + 7 * 3600 + 40 * 60),
        ] as [(String, Int64)])
    func `the next time is the first minute that all fields name`(text: String, seconds: Int64) throws {
        #expect(try next(text) == seconds)
    }

    @Test func `a day and a weekday that both ask are alternatives`() throws {
        // The 25th is a Wednesday; Sunday comes first.
        let sunday: Int64 = 27_600
        #expect(try next("0 0 25 * sun") == sunday)
        // One that begins with a star does not ask: the 1st and the 26th.
        let week: Int64 = 373_200
        #expect(try next("0 0 */25 * *") == week)
    }

    @Test func `a leap day is found years ahead and a day that never comes is not`() throws {
        #expect(try CronSchedule("0 0 29 2 *").next(after: Self.now, Self.utc)?.seconds == 1_835_395_200)
        #expect(try CronSchedule("0 0 30 2 *").next(after: Self.now, Self.utc) == nil)
    }

    @Test func `times are those of the place`() throws {
        let east = TimeZoneOffsets([.init(from: 0, offset: 3600)])
        #expect(try next("0 18 * * *", east) == 40 * 60)
    }

    @Test func `a time that the clock skips is never before now`() throws {
        // Clocks go forward an hour at 2026-11-22 01:00 UTC.
        let change: Int64 = 1_795_309_200
        let zone = TimeZoneOffsets([.init(from: 0, offset: 0), .init(from: change, offset: 3600)])
        let found = try CronSchedule("30 1 * * *").next(after: Timestamp(seconds: change - 60), zone)
        #expect(found.map { $0.seconds >= change } ?? false)
        #expect(try CronSchedule("0 3 * * *").next(after: Self.now, zone)?.seconds == change + 3600)
    }

    @Test(arguments: [
        "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
        "*/0 * * * *", "@never", "a * * * *", "1,, * * * *", "-1 * * * *", "* * * * * *",
    ])
    func `what is no schedule is refused`(text: String) {
        #expect(throws: CronSchedule.Malformed.self) { try CronSchedule(text) }
    }
}
