// cgroup.conf: how jobs are held to what they got. Its keys stand beside those of the main file, where they may be too.

extension ParsedConfiguration {
    /// Adds what cgroup.conf says.
    public mutating func readCgroup(_ text: ConfigurationText) {
        for line in ConfigurationLines.read(text) {
            if let rest = line.rest {
                fail(line, "\"\(rest)\" is not Key=Value")
            } else if line.include != nil {
                fail(line, "Include is not read in cgroup.conf; write the lines here")
            } else {
                for pair in line.pairs { read(pair, line) }
            }
        }
    }

    private mutating func read(_ pair: ConfigurationLine.Pair, _ line: ConfigurationLine) {
        guard let key = ConfigurationTable.key(pair.key, .cgroup) else {
            // Keys that went with earlier releases are still in many files.
            if ["taskaffinity", "cgroupreleaseagentdir", "allowedkmemspace"].contains(pair.key.lowercased()) {
                return warn(line, "\(pair.key) has no effect: releases of today do not have it")
            }
            return fail(line, "\(pair.key) is not a key of cgroup.conf; correct it or remove it")
        }
        do throws(WrongValue) { try key.check(pair.value) } catch {
            return fail(line, "\(pair.key)=\(pair.value): \(error.allowed)")
        }
        configuration.entries.append(.init(key: pair.key, value: pair.value, file: line.file, line: line.number))
        guard case .noEffect(let why) = key.state else { return }
        let rendered = key.rendered(pair.value, uid: { _ in nil }).lowercased()
        if rendered != key.shown?.lowercased() { warn(line, "\(pair.key) has no effect: \(why)") }
    }
}
