// The queue orders of published studies: fcfs, sjf, saf; wfp3 and unicep of Tang et al., "Fault-aware, utility-based job
// scheduling on Blue Gene/P systems" (2009); f1 of Carastan-Santos and de Camargo, "Obtaining dynamic scheduling
// policies with simulation and machine learning" (2017).

/// An order of waiting jobs by one number, smaller first; ties go by submission, then by id.
public enum QueueOrder: String, Sendable, CaseIterable {
    /// First come, first served.
    case fcfs
    /// Shortest first, by the requested time.
    case sjf
    /// Smallest area first: requested time by processors.
    case saf
    /// Favours long waits relative to the request, and wide jobs.
    case wfp3
    /// Favours long waits relative to the request, and narrow jobs.
    case unicep
    /// A fitted compromise of size and submission time.
    case f1

    /// Whether keys must be made anew at every pass, or stay as they were at submission.
    public var changesWithTime: Bool {
        switch self {
        case .fcfs, .sjf, .saf, .f1: false
        case .wfp3, .unicep: true
        }
    }

    /// The part of a job's key that stays; the whole key where `changesWithTime` is false.
    ///
    /// Times in seconds, `origin` the first submission of the trace; `request` and `processors` are positive.
    public func constant(submit: Int64, request: Int64, processors: Int32, origin: Int64) -> Double {
        let request = Double(request)
        let width = Double(processors)
        switch self {
        case .fcfs: return Double(submit)
        case .sjf: return request
        case .saf: return request * width
        case .wfp3: return width
        case .unicep: return Logarithm.base2(width + 1e-15) * request
        case .f1:
            return Logarithm.base10(request) * width + 870 * Logarithm.base10(Double(submit - origin) + 1)
        }
    }

    /// The key of a job that has waited so long, given its constant.
    public func key(_ constant: Double, wait: Int64, request: Int64) -> Double {
        switch self {
        case .fcfs, .sjf, .saf, .f1: return constant
        case .wfp3:
            let ratio = Double(wait) / Double(request)
            return -(ratio * ratio * ratio) * constant
        case .unicep: return -(Double(wait) + 1e-15) / constant
        }
    }
}

/// A policy of the simulator's reference mode: an order and a backfill mode of the engine.
public struct ReferencePolicy: Sendable, Equatable {
    public var name: String
    public var order: QueueOrder
    public var mode: BackfillMode
    /// The order in which candidates are tried; nil: the queue's.
    public var candidateOrder: QueueOrder?
    /// The order is the default policy's (`DefaultPolicy.order`), made anew in each pass; `order` is its tie-break.
    public var isLearned = false

    /// By its name: an order, `easy`, an order and `-easy`, `sjbf-easy`, `cons`, or `argosy`, the default policy. Nil: there
    /// is none of the name.
    public init?(named name: String) {
        self.name = name
        candidateOrder = nil
        switch name {
        case "cons": (order, mode) = (.fcfs, .conservative)
        case "argosy": (order, mode, isLearned) = (.fcfs, .reservations(1), true)
        case "easy": (order, mode) = (.fcfs, .reservations(1))
        case "sjbf-easy": (order, mode, candidateOrder) = (.fcfs, .reservations(1), .sjf)
        default:
            let isEasy = name.hasSuffix("-easy")
            guard let order = QueueOrder(rawValue: isEasy ? String(name.dropLast(5)) : name) else { return nil }
            (self.order, mode) = (order, isEasy ? .reservations(1) : .none)
        }
    }

    /// Every name, for help and messages.
    public static let allNames = names + ["argosy"]

    /// The textbook policies.
    public static let names: [String] =
        QueueOrder.allCases.map(\.rawValue) + ["easy", "sjbf-easy"]
        + QueueOrder.allCases.dropFirst().map { $0.rawValue + "-easy" } + ["cons"]
}
