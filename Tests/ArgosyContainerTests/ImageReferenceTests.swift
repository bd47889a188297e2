import Testing

@testable import ArgosyContainer
