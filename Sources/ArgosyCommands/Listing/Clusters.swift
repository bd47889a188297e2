// -M: one controller serves one cluster, and this one is taken by its name or as `all`.

enum Clusters {
    /// Throws what Slurm says of a cluster its database does not know.
    static func check(_ names: [String], own: String, command: String) throws(OptionError) {
        for name in names where name.lowercased() != "all" && name != own {
            throw OptionError(
                "No cluster '\(name)' known by database.\n\(command): error: '\(name)' can't be reached now, or it is an "
                    + "invalid entry for --cluster.  Use 'sacctmgr list clusters' to see available clusters.")
        }
    }
}
