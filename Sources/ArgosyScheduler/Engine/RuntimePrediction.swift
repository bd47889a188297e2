// What jobs are thought to run, from what their users' jobs before them did.
//
// Users ask for too much, each in a way of their own, and keep to it: the share of the request that a user's last jobs
// used says more about the next than anything else that is known at submission. It is only ever told of jobs that have
// ended, and it never touches the kill time, which stays the request.

/// The share of their requests that users' last ended jobs used, and predictions made from it.
///
/// State of at most `remembered` numbers a user, in the order in which the jobs ended. Asking and telling cost O(1).
public struct RuntimePrediction: Sendable, Equatable {
    /// How many of a user's ended jobs count.
    public static let remembered = 8

    /// By user, the newest first. Only ever looked up by key: the order of a dictionary decides nothing.
    private var shares: [Int64: [Double]] = [:]

    public init() {}

    /// Takes up a history that was kept (`history(of:)`), the newest share first.
    public mutating func restore(_ history: [Double], of user: Int64) {
        shares[user] = Array(history.prefix(Self.remembered))
    }

    /// The shares (run / request) of a user's last ended jobs, the newest first: what has to be kept.
    public func history(of user: Int64) -> [Double] { shares[user] ?? [] }

    /// A job has ended after `run` seconds. Jobs without a known user (negative) or request are passed over.
    public mutating func observe(user: Int64, request: Int64, run: Int64) {
        guard user >= 0, request > 0 else { return }
        let share = Double(min(max(run, 0), request)) / Double(request)
        var known = shares[user] ?? []
        if known.count == Self.remembered { known.removeLast() }
        known.insert(share, at: 0)
        shares[user] = known
    }

    /// The seconds a job is thought to run: its request by the mean share of its user's last jobs, from 1 to the
    /// request; the request itself where nothing is known of the user.
    public func predict(user: Int64, request: Int64) -> Int64 {
        guard user >= 0, let known = shares[user], !known.isEmpty else { return request }
        var sum = 0.0
        for share in known { sum += share }
        let predicted = sum / Double(known.count) * Double(request)
        return predicted < Double(request) ? max(1, Int64(predicted)) : request
    }

    /// The prediction for a job that has run `elapsed` seconds: doubled, by a minute at least, until it lies ahead; the
    /// request at most.
    public static func correct(_ prediction: Int64, elapsed: Int64, request: Int64) -> Int64 {
        var corrected = prediction
        while corrected <= elapsed, corrected < request {
            corrected = min(request, max(2 * corrected, corrected + 60))
        }
        return corrected
    }
}
