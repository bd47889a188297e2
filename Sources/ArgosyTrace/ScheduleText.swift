// A schedule as bytes: the digest by which schedules are compared, and the CSV file.
internal import ArgosySystem

/// Decimal numbers appended to a buffer of bytes.
private struct Bytes {
    var content: [UInt8] = []
    private var used = 0

    init(capacity: Int) { content = Array(repeating: 0, count: capacity) }

    /// Appends `number` and `end`.
    mutating func append(_ number: Int64, _ end: UInt8) {
        if used + 24 > content.count { content += [UInt8](repeating: 0, count: content.count) }
        var rest = number.magnitude
        var digits = 1
        var bound: UInt64 = 10
        while rest >= bound, digits < 19 {
            digits += 1
            bound *= 10
        }
        if digits == 19, rest >= bound { digits = 20 }
        if number < 0 {
            content[used] = UInt8(ascii: "-")
            used += 1
        }
        var at = used + digits
        used = at + 1
        content[at] = end
        repeat {
            at -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            content[at] = UInt8(truncatingIfNeeded: digit) + UInt8(ascii: "0")
            rest = quotient
        } while rest > 0
    }

    var bytes: ArraySlice<UInt8> { content[..<used] }
    mutating func removeAll() { used = 0 }
}

extension Schedule {
    /// The first 16 hex digits of SHA-256 over `id start\n` of all jobs in their order.
    public func digest(of workload: Workload) -> String {
        var text = Bytes(capacity: 1 << 14)
        var hash = SHA256()
        for (index, job) in workload.jobs.enumerated() {
            text.append(job.id, UInt8(ascii: " "))
            text.append(starts[index], UInt8(ascii: "\n"))
            if text.bytes.count > 1 << 13 {
                text.bytes.withUnsafeBytes { hash.update($0) }
                text.removeAll()
            }
        }
        text.bytes.withUnsafeBytes { hash.update($0) }
        return String(SHA256.hex(hash.finish()).prefix(16))
    }

    /// `id,submit,start,end`, a line a job and nothing else.
    public func csv(of workload: Workload) -> [UInt8] {
        var text = Bytes(capacity: 48 * (workload.jobs.count + 2))
        for (index, job) in workload.jobs.enumerated() {
            text.append(job.id, UInt8(ascii: ","))
            text.append(job.submit, UInt8(ascii: ","))
            text.append(starts[index], UInt8(ascii: ","))
            text.append(starts[index] + job.run, UInt8(ascii: "\n"))
        }
        return Array(text.bytes)
    }
}
