import ArgosyConfig
import ArgosyDomain
import Testing

private func parse(_ text: String) -> ParsedConfiguration {
    ConfigurationParser.parse(.init(file: "test.conf", text: "SlurmctldHost=a\n" + text))
}

@Suite struct SchedulingKeysTests {
    @Test func `the default policy plans, with its own number of reservations, unless something else is said`() {
        let settings = parse("").configuration.scheduling
        #expect(settings == SchedulingSettings())
        #expect(settings.kind == .backfill && settings.reservations == nil && settings.policy == .default)
        #expect(settings.memoryCounts && !settings.allocatesThreads && settings.preemptType == .none)
    }

    @Test func `every key of scheduling is read`() {
        let parsed = parse(
            """
            SchedulerType=sched/builtin
            SchedulerParameters=bf_window=2880,bf_resolution=300,bf_max_job_test=1000,bf_max_job_user=10,defer,\
            bf_reservations=4,bf_conservative,argosy_policy=priority,bf_max_time=2,bf_continue,pack_serial_at_end
            PreemptType=preempt/qos
            PreemptMode=REQUEUE,GANG
            PreemptExemptTime=00:10:00
            Licenses=fluent:30,ansys,matlab*5
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU
            """)
        #expect(parsed.diagnostics.isEmpty, "\(parsed.diagnostics)")
        let settings = parsed.configuration.scheduling
        #expect(settings.kind == .builtin && settings.window == 172_800 && settings.resolution == 300)
        #expect(settings.maxJobsTested == 1000 && settings.maxJobsPerUser == 10 && settings.packsSerialAtEnd)
        #expect(settings.reservations == .first(4) && settings.conservative && settings.policy == .priority)
        #expect(settings.passBudget == .seconds(2) && settings.minInterval == .seconds(2))
        #expect(settings.preemptType == .qos && settings.preemptMode == .requeue)
        #expect(settings.preemptExemptTime == .seconds(600))
        #expect(settings.allocatesThreads && !settings.memoryCounts && !settings.wholeNodes)
        #expect(
            parsed.configuration.licenses == [
                LicenseRequest(name: "fluent", count: 30), LicenseRequest(name: "ansys", count: 1),
                LicenseRequest(name: "matlab", count: 5),
            ])
    }

    @Test func `a parameter that means nothing here is a warning`() throws {
        let parsed = parse("SchedulerParameters=bf_window=60,nonsense=3")
        let warning = try #require(parsed.diagnostics.first)
        #expect(warning.severity == .warning && warning.message.contains("nonsense=3"))
        #expect(parsed.configuration.scheduling.window == 3600)
    }

    @Test(arguments: [
        "SchedulerType=sched/wiki", "SchedulerParameters=bf_window=0", "SchedulerParameters=bf_reservations=many",
        "SchedulerParameters=argosy_policy=best", "PreemptType=preempt/job_prio", "PreemptMode=SHRUG",
        "Licenses=fluent:many", "SelectType=select/alps", "SelectTypeParameters=CR_Gold",
    ])
    func `a wrong value is an error`(_ line: String) {
        #expect(parse(line).diagnostics.contains { $0.severity == .error })
    }
}
