// What salloc has besides the options of all that make jobs.

import ArgosyDomain

extension JobOptionTable {
    static let salloc: [Row] =
        shared(prefix: "SALLOC_") + container(prefix: "SALLOC_") + interactiveOnly + taken(prefix: "SALLOC_")
        + informationOptions()

    static let interactiveOnly: [Row] = [
        Row("bell", nil, .none, env: ["SALLOC_BELL"], "ring the terminal bell when the job has its resources") {
            options, _ throws(OptionError) in options.bell = true
        },
        Row("no-bell", nil, .none, env: ["SALLOC_NO_BELL"], "do not ring the terminal bell") {
            options, _ throws(OptionError) in options.bell = false
        },
        Row(
            "immediate", "I", .optional, "secs", env: ["SALLOC_IMMEDIATE"],
            "exit if resources are not available within secs (1)"
        ) { options, text throws(OptionError) in
            options.immediate = text.isEmpty ? 1 : try JobValue.count(text, "--immediate", from: 0)
        },
        Row(
            "kill-command", "K", .optional, "signal", env: ["SALLOC_KILL_CMD"],
            "signal to send the command when the job ends before it"
        ) { options, text throws(OptionError) in
            guard let number = text.isEmpty ? 0 : try? SignalName.number(text) else {
                throw JobValue.invalid("--kill-command")
            }
            options.killCommand = Int32(number)
        },
        Row("no-shell", "leave the allocation behind without running a command in it") {
            options, _ throws(OptionError) in options.noShell = true
        },
        .refused("x11", nil, .optional, "X11 forwarding is not supported"),
    ]
}
