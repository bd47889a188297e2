/// What squeue and sinfo share around their table: `-i SECONDS`, and how a failure is told.
struct RepeatedListing {
    var command: String
    /// What stands before the controller's message: "slurm_load_jobs error".
    var complaint: String
    /// Seconds between two tables; 0: one table.
    var seconds: UInt32

    /// Prints with `list`, again and again if asked. Returns the exit code.
    func run(_ list: () throws -> Void) -> Int32 {
        do {
            repeat {
                try list()
                if seconds > 0 {
                    Console.print("\n")
                    for _ in 0..<seconds { pause(milliseconds: 1000) }
                }
            } while seconds > 0
            return 0
        } catch {
            let failure = Failure(error)
            if error is OptionError {
                Console.error(command, failure.message)
            } else {
                Console.complain("\(complaint): \(failure.message)\n")
                if !failure.detail.isEmpty { Console.error(command, failure.detail) }
            }
            return 1
        }
    }
}
