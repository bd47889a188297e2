// Options about a job's life: mail, the warning before its end, boots of its nodes.

import ArgosyConfig
import ArgosyDomain

extension JobOptionTable {
    static func life(prefix: String) -> [Row] {
        [
            Row(
                "delay-boot", nil, .required, "mins", env: [prefix + "DELAY_BOOT"],
                "delay boot for desired node features"
            ) {
                options, text throws(OptionError) in
                guard let seconds = SlurmText.seconds(text), seconds < 1 << 32 else {
                    throw JobValue.invalid("--delay-boot")
                }
                options.delayBoot = UInt32((seconds + 59) / 60)
            },
            Row("mail-type", nil, .required, "type", "notify on state change: BEGIN, END, FAIL or ALL") {
                options, text throws(OptionError) in
                guard let types = MailTypes(text: text) else { throw JobValue.invalid("--mail-type") }
                options.mailTypes = types
            },
            Row("mail-user", nil, .required, "user", "who to send email notification for job state changes") {
                options, text throws(OptionError) in options.mailUser = text
            },
            Row("reboot", nil, .none, "reboot compute nodes before starting job") { options, _ throws(OptionError) in
                options.reboot = true
            },
            Row(
                "signal", nil, .required, "[R|B:]num[@time]", env: [prefix + "SIGNAL"],
                "send signal when time limit within time seconds"
            ) {
                options, text throws(OptionError) in options.warning = try warning(text)
            },
        ]
    }

    /// "USR1", "B:10@120"; 60 seconds where none are given.
    static func warning(_ text: String) throws(OptionError) -> WarningSignal {
        let wrong = JobValue.invalid("--signal")
        var rest = Substring(text)
        var flags = ""
        if let colon = text.firstIndex(of: ":") {
            flags = text[..<colon].uppercased()
            rest = text[text.index(after: colon)...]
            guard !flags.isEmpty, flags.allSatisfy({ $0 == "R" || $0 == "B" }) else { throw wrong }
        }
        let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else { throw wrong }
        let number: UInt32
        if let given = UInt32(name) {
            number = given
        } else {
            do throws(OptionError) { number = try SignalName.number(name) } catch { throw wrong }
        }
        guard number > 0, number < 65536 else { throw wrong }
        var signal = WarningSignal(
            number: number, batchOnly: flags.contains("B"), forReservation: flags.contains("R"))
        if parts.count == 2 {
            guard let seconds = UInt32(parts[1]), seconds <= 65535 else { throw wrong }
            signal.seconds = seconds
        }
        return signal
    }
}
