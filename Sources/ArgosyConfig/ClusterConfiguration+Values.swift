// Keys by their names, for those who need one that has no typed place of its own. The last line that gives a key wins;
// a key that no line gives has the value of `ConfigurationTable`.
//
//     configuration.text("Prolog")                      // "" or a path
//     configuration.seconds("UnkillableStepTimeout")    // .seconds(60)

extension ClusterConfiguration {
    /// What the file says, as written; nil when it says nothing.
    public func given(_ key: String) -> String? {
        let wanted = key.lowercased()
        return entries.last { $0.key.lowercased() == wanted }?.value
    }

    /// What holds: the file's words, else the table's; empty for none.
    public func text(_ key: String) -> String {
        let known = ConfigurationTable.key(key) ?? ConfigurationTable.key(key, .cgroup)
        let text = given(key) ?? known?.shown ?? ""
        if text.hasPrefix("(null") { return "" }
        return known?.kind == .path && text.lowercased() == "none" ? "" : text
    }

    /// A list with commas.
    public func words(_ key: String) -> [String] {
        ConfigurationParser.list(text(key)).filter { $0.lowercased() != "none" }
    }

    /// Whether a list of words has this one, in any case; of `word=value` the word counts.
    public func has(_ word: String, in key: String) -> Bool {
        let wanted = word.lowercased()
        return words(key).contains { $0.lowercased().prefix { $0 != "=" } == wanted }
    }

    /// What stands behind `word=` in a list of words, in any case.
    public func value(of word: String, in key: String) -> String? {
        let wanted = word.lowercased() + "="
        return words(key).last { $0.lowercased().hasPrefix(wanted) }.map { String($0.dropFirst(wanted.count)) }
    }

    public func flag(_ key: String) -> Bool { SlurmText.boolean(text(key)) ?? false }

    /// The number at the beginning (defaults have units behind theirs); nil: UNLIMITED, INFINITE or none.
    public func number(_ key: String) -> Int? {
        SlurmText.number(text(key).prefix { $0.isASCII && $0.isNumber }).flatMap { Int(exactly: $0) }
    }

    /// A key that counts seconds; nil: UNLIMITED, INFINITE or none.
    public func seconds(_ key: String) -> Duration? { number(key).map { .seconds($0) } }
}
