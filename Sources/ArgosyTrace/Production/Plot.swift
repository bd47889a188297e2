// Two pictures in one SVG: how much of the machine was in use over time, and how long jobs of each class waited.

/// One run, ready to be drawn.
struct PlotCurve {
    static let buckets = 400

    var name: String
    /// Share of the processors in use, averaged over each of `buckets` equal parts of the run.
    var utilization: [Double]
    /// From the first submission, seconds.
    var span: Int64
    /// Median and 90th percentile of waits in seconds, and how many jobs, by class of `Plot.classes`.
    var waits: [(median: Int64, high: Int64, jobs: Int)]

    init(name: String, workload: Workload, schedule: Schedule) {
        self.name = name
        let first = workload.firstSubmit
        let ends = zip(workload.jobs, schedule.starts).map { $1 + $0.run }
        span = max(1, (ends.max() ?? first) - first)
        var busy = [Double](repeating: 0, count: Self.buckets)
        let width = Double(span) / Double(Self.buckets)
        for (job, start) in zip(workload.jobs, schedule.starts) {
            let (from, to) = (Double(start - first), Double(start - first + job.run))
            for bucket in Int(from / width)...min(Self.buckets - 1, Int(to / width)) where bucket >= 0 {
                let overlap = min(to, Double(bucket + 1) * width) - max(from, Double(bucket) * width)
                if overlap > 0 { busy[bucket] += overlap * Double(job.processors) }
            }
        }
        utilization = busy.map { $0 / (width * Double(max(workload.processors, 1))) }
        waits = Plot.classes.map { kind in
            var found = zip(workload.jobs, schedule.starts).filter { kind.holds($0.0, workload.processors) }
                .map { $0.1 - $0.0.submit }
            found.sort()
            guard !found.isEmpty else { return (0, 0, 0) }
            return (found[found.count / 2], found[found.count * 9 / 10], found.count)
        }
    }
}

struct Plot {
    struct JobClass {
        var name: String
        var holds: @Sendable (TraceJob, Int32) -> Bool
    }
    /// Short: up to an hour asked for; narrow: up to a sixteenth of the machine.
    static let classes: [JobClass] = [
        JobClass(name: "short narrow") { $0.request <= 3600 && Int64($0.processors) * 16 <= Int64($1) },
        JobClass(name: "short wide") { $0.request <= 3600 && Int64($0.processors) * 16 > Int64($1) },
        JobClass(name: "long narrow") { $0.request > 3600 && Int64($0.processors) * 16 <= Int64($1) },
        JobClass(name: "long wide") { $0.request > 3600 && Int64($0.processors) * 16 > Int64($1) },
    ]
    private static let colours = ["#1f6fb4", "#d95f02", "#4d9221"]
    let curves: [PlotCurve]

    init(_ curves: [PlotCurve]) { self.curves = curves }

    var svg: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="900" height="620" viewBox="0 0 900 620" \
        font-family="sans-serif" font-size="13">
        <rect width="900" height="620" fill="white"/>
        \(legend)\(utilizationPanel)\(waitPanel)</svg>

        """
    }

    private var legend: String {
        curves.enumerated().map { index, curve in
            let x = 70 + index * 400
            return "<rect x=\"\(x)\" y=\"14\" width=\"14\" height=\"14\" fill=\"\(colour(index))\"/>"
                + "<text x=\"\(x + 20)\" y=\"26\">\(escaped(curve.name))</text>\n"
        }.joined()
    }

    private func colour(_ index: Int) -> String { Self.colours[index % Self.colours.count] }

    private var utilizationPanel: String {
        let (left, top, width, height) = (70.0, 60.0, 800.0, 220.0)
        var text = "<text x=\"70\" y=\"50\" font-weight=\"bold\">Processors in use (%)</text>\n"
        for step in 0...4 {
            let y = top + height * Double(4 - step) / 4
            text += line(left, y, left + width, y, "#ddd") + label("\(step * 25)", left - 8, y + 4, "end")
        }
        let span = Double(curves.map(\.span).max() ?? 1)
        for (index, curve) in curves.enumerated() {
            let points = curve.utilization.enumerated().map { bucket, value in
                let x = left + width * Double(curve.span) / span * (Double(bucket) + 0.5) / Double(PlotCurve.buckets)
                return "\(fixed(x, 1)),\(fixed(top + height * (1 - min(value, 1)), 1))"
            }.joined(separator: " ")
            text += "<polyline fill=\"none\" stroke=\"\(colour(index))\" stroke-width=\"1.2\" points=\"\(points)\"/>\n"
        }
        for step in 0...4 {
            let x = left + width * Double(step) / 4
            text += label("\(fixed(span * Double(step) / 4 / 86_400, 1)) d", x, top + height + 18, "middle")
        }
        return text
    }

    /// Bars of the medians with a mark at the 90th percentile, on a logarithmic scale from a second to a month.
    private var waitPanel: String {
        let (left, top, width, height) = (70.0, 350.0, 800.0, 210.0)
        var text =
            "<text x=\"70\" y=\"335\" font-weight=\"bold\">Wait by class: bar to the median, mark at the 90th"
            + " percentile</text>\n"
        let ticks: [(String, Double)] = [
            ("1 s", 1), ("1 min", 60), ("1 h", 3600), ("1 d", 86_400), ("30 d", 2_592_000),
        ]
        let scale = Scale(top: top, height: height)
        for (name, seconds) in ticks {
            let y = scale.y(seconds)
            text += line(left, y, left + width, y, "#ddd") + label(name, left - 8, y + 4, "end")
        }
        let group = width / Double(Self.classes.count)
        let bar = min(60, group * 0.7 / Double(max(curves.count, 1)))
        for (place, kind) in Self.classes.enumerated() {
            let middle = left + group * (Double(place) + 0.5)
            let jobs = curves.first?.waits[place].jobs ?? 0
            text += label("\(kind.name) (\(jobs))", middle, top + height + 18, "middle")
            for (index, curve) in curves.enumerated() where curve.waits[place].jobs > 0 {
                let x = middle + (Double(index) - Double(curves.count) / 2) * bar
                let y = scale.y(Double(curve.waits[place].median))
                let mark = scale.y(Double(curve.waits[place].high))
                text +=
                    "<rect x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" width=\"\(fixed(bar - 4, 1))\""
                    + " height=\"\(fixed(top + height - y, 1))\" fill=\"\(colour(index))\"/>\n"
                    + line(x, mark, x + bar - 4, mark, "#333")
            }
        }
        return text
    }

    /// Seconds to a height, by powers of two.
    private struct Scale {
        var top: Double
        var height: Double
        private static let doublings = 21.3

        init(top: Double, height: Double) {
            self.top = top
            self.height = height
        }

        func y(_ seconds: Double) -> Double {
            var (rest, power) = (max(seconds, 1), 0.0)
            while rest >= 2 {
                rest /= 2
                power += 1
            }
            return top + height * (1 - min(1, (power + rest - 1) / Self.doublings))
        }
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
        "<line x1=\"\(fixed(x1, 1))\" y1=\"\(fixed(y1, 1))\" x2=\"\(fixed(x2, 1))\" y2=\"\(fixed(y2, 1))\""
            + " stroke=\"\(colour)\"/>\n"
    }

    private func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
        "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\">\(escaped(text))</text>\n"
    }

    private func escaped(_ text: String) -> String {
        text.map { $0 == "&" ? "&amp;" : $0 == "<" ? "&lt;" : $0 == "\"" ? "&quot;" : String($0) }.joined()
    }
}
