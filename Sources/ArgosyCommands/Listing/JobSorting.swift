// The order of squeue's lines: letters of fields, `-` before those that descend; numbers by value, ties by job id.

import ArgosyDomain

enum JobSorting {
    typealias Key = (field: Field<JobRecord>, descends: Bool)

    static func sort(_ records: inout [JobRecord], _ text: String) throws(OptionError) {
        let keys = try keys(text, JobFields.all)
        records.sort { a, b in
            for key in keys {
                let order = compare(a, b, key.field)
                if order != 0 { return key.descends ? order > 0 : order < 0 }
            }
            return a.info.listingOrder < b.info.listingOrder
        }
    }

    /// `P,t,-p`; `cluster` orders by cluster, of which there is one.
    static func keys<Record>(
        _ text: String, _ fields: [Field<Record>]
    ) throws(OptionError) -> [(field: Field<Record>, descends: Bool)] {
        var keys: [(field: Field<Record>, descends: Bool)] = []
        for word in commaList(text) where word != "cluster" {
            let descends = word.hasPrefix("-")
            let letters = word.filter { $0 != "-" && $0 != "+" && $0 != "#" }
            // Letters may stand together; the last is read first.
            for letter in letters.reversed() where !fields.contains(where: { $0.letter == letter }) {
                throw OptionError("Invalid sort specification: \(letter)")
            }
            for letter in letters {
                guard let field = fields.first(where: { $0.letter == letter }) else { continue }
                keys.append((field, descends))
            }
        }
        return keys
    }

    private static func compare(_ a: JobRecord, _ b: JobRecord, _ field: Field<JobRecord>) -> Int {
        func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
            left == right ? 0 : left < right ? -1 : 1
        }
        switch field.letter {
        case "p", "Q": return order(a.info.priority, b.info.priority)
        case "i":
            let (left, right) = (a.info.listingOrder, b.info.listingOrder)
            return left == right ? 0 : left < right ? -1 : 1
        case "M": return order(a.elapsed, b.elapsed)
        case "L": return order(a.secondsLeft, b.secondsLeft)
        case "S": return order(a.sortingStart, b.sortingStart)
        case "e": return order(a.listedEndUs, b.listedEndUs)
        case "V": return order(a.info.submitUs, b.info.submitUs)
        case "l": return order(a.info.timeLimitMinutes, b.info.timeLimitMinutes)
        case "m": return order(a.memoryMiB, b.memoryMiB)
        case "d": return order(a.info.spec.resources.minTmpDiskMib, b.info.spec.resources.minTmpDiskMib)
        default: break
        }
        let (left, right) = (field.value(a), field.value(b))
        if let x = Int(left), let y = Int(right) { return order(x, y) }
        return order(left, right)
    }
}

extension JobRecord {
    fileprivate var secondsLeft: Int64 {
        guard let duration = limit.duration else { return .max }
        return duration.microseconds / 1_000_000 - elapsed
    }

    /// One without a known start comes last.
    fileprivate var sortingStart: Int64 { startUs > 0 ? startUs : .max }

    fileprivate var memoryMiB: UInt64 {
        info.spec.memoryPerCpuMib > 0 ? info.spec.memoryPerCpuMib : info.spec.memoryPerNodeMib
    }

    /// Of a waiting array, the elements that were asked for; nil: none of them waits.
    func narrowed(to jobs: [JobIdentifier]) -> JobRecord? {
        guard !info.arrayPending.isEmpty,
            !jobs.contains(where: { $0.job == info.arrayJob && $0.indices.isEmpty })
        else { return self }
        let wanted = jobs.filter { $0.job == info.arrayJob }.flatMap(\.indices)
        guard !wanted.isEmpty else { return self }
        var one = self
        let chosen = expanded.map(\.info.arrayTask).filter { index in
            wanted.contains { $0.first <= index && index <= $0.last && (index - $0.first) % max(1, $0.step) == 0 }
        }
        one.info.arrayPending = []
        guard let first = chosen.first else { return nil }
        // One alone is a task like those that run.
        if chosen.count == 1 {
            one.info.arrayTask = first
            return one
        }
        for index in chosen {
            if let last = one.info.arrayPending.indices.last, one.info.arrayPending[last].last + 1 == index {
                one.info.arrayPending[last].last = index
            } else {
                var range = info.arrayPending[0]
                (range.first, range.last, range.step) = (index, index, 1)
                one.info.arrayPending.append(range)
            }
        }
        return one
    }
}
