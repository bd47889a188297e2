/// A variable of the environment that stands for none of a command's options. Where it acts, the command's code reads it;
/// here it is told, for `argosy coverage`.
struct OwnVariable: Sendable {
    var name: String
    var standing: Standing
    /// What it does; empty where it changes nothing.
    var what: String

    static func acted(_ name: String, _ what: String) -> Self { .init(name: name, standing: .acted, what: what) }
    static func accepted(_ name: String) -> Self { .init(name: name, standing: .accepted, what: "") }

    static let timeFormat = acted("SLURM_TIME_FORMAT", "how times are written: standard, relative or for strftime(3)")
    static let arrayLength = acted("SLURM_BITSTR_LEN", "longest text of an array's indices; 0: any")
    static let errorStatus = acted("SLURM_EXIT_ERROR", "exit status where the command itself fails")
    static let immediateStatus = acted("SLURM_EXIT_IMMEDIATE", "exit status where --immediate gave up")
    static let umask = acted("SLURM_UMASK", "the umask that the job gets")
}

extension CommandDescription {
    /// Takes what the environment says; a value that cannot be used is told, and passed over.
    func takeEnvironment(into settings: inout Settings) {
        do throws(OptionError) {
            try OptionParser(options).parse(environment: Process.variable, into: &settings)
        } catch { Console.error(name, error.message) }
    }
}
