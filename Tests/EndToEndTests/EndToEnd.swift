import Testing

/// Real daemons, real users, real containers: one cluster, one test after another. What a test needs of the machine and
/// does not find makes it skip with the reason.
@Suite(.serialized, .enabled(if: Requirement.missing == nil, Comment(rawValue: Requirement.missing ?? "")))
struct EndToEnd {}

extension Trait where Self == ConditionTrait {
    static var needsImages: Self {
        .enabled(if: Requirement.images, Comment(rawValue: Requirement.imagesMissing))
    }
}
