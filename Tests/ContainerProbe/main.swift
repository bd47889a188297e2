// Stands in for argosystepd in tests: the modes of ArgosyContainer, nothing else.
import ArgosyContainer

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "holder": HolderMain.run(planFD: arguments.count > 2 ? Int32(arguments[2]) ?? -1 : -1)
case "convert": ConvertMain.run(arguments: Array(arguments.dropFirst(2)))
default: print("usage: argosy-container-probe holder FD | convert ...")
}
