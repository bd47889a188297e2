// Demands of waiting jobs, each distinct one kept once. A snapshot hands the table to a planner as it is, so that a job in
// it is a number where its demand stands.
import ArgosyScheduler

/// Shapes by number, with counts of the waiting jobs that have them. A number is used again when nobody has it any more.
struct ShapeTable: Sendable {
    /// By number; those that nobody has stay until their number is given again.
    private(set) var shapes: [Shape] = []
    private(set) var counts: [UInt32] = []
    /// For finding only: never walked, so that its order decides nothing.
    private var numbers: [Shape: Int32] = [:]
    /// Given again last in, first out.
    private var unused: [Int32] = []

    /// The shape's number, counted once more.
    mutating func intern(_ shape: Shape) -> Int32 {
        if let number = numbers[shape] {
            counts[Int(number)] += 1
            return number
        }
        if let number = unused.popLast() {
            shapes[Int(number)] = shape
            counts[Int(number)] = 1
            numbers[shape] = number
            return number
        }
        let number = Int32(shapes.count)
        shapes.append(shape)
        counts.append(1)
        numbers[shape] = number
        return number
    }

    mutating func retain(_ number: Int32) { counts[Int(number)] += 1 }

    mutating func release(_ number: Int32) {
        counts[Int(number)] -= 1
        guard counts[Int(number)] == 0 else { return }
        numbers[shapes[Int(number)]] = nil
        unused.append(number)
    }
}
