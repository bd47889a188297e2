import ArgosyController
import Logging
import Testing

@Suite struct LogVerbosityTests {
    @Test func `a change holds for loggers that are there already`() {
        let verbosity = LogVerbosity(.info, named: "info")
        let handler = SharedLevelLogHandler(label: "test", verbosity)
        let logger = Logger(label: "test") { _ in handler }
        #expect(logger.logLevel == .info)
        verbosity.set(.trace, named: "debug3")
        #expect(logger.logLevel == .trace && verbosity.name == "debug3")
    }

    @Test(arguments: [("quiet", Logger.Level.critical), ("verbose", .info), ("Debug", .debug), ("debug5", .trace)])
    func `Slurm's levels have their kin here`(_ name: String, _ level: Logger.Level) {
        #expect(LogVerbosity.level(ofSlurm: name) == level)
        #expect(LogVerbosity.level(ofSlurm: name + "x") == nil)
    }
}
