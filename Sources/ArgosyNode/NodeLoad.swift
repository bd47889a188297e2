internal import ArgosyStep
internal import ArgosyWire

/// What a heartbeat says.
enum NodeLoad {
    static func read() -> WireHeartbeat {
        var beat = WireHeartbeat()
        let load = words("/proc/loadavg").first ?? ""
        beat.loadHundredths = UInt32((Double(load) ?? 0) * 100)
        beat.freeMemoryMib = available(words("/proc/meminfo"))
        return beat
    }

    private static func available(_ words: [String]) -> UInt64 {
        guard let place = words.firstIndex(of: "MemAvailable:"), place + 1 < words.count else { return 0 }
        return (UInt64(words[place + 1]) ?? 0) >> 10
    }

    private static func words(_ path: String) -> [String] {
        String(decoding: SpoolFile.read(path) ?? [], as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init)
    }
}
