import Testing

@testable import ArgosyHardware
