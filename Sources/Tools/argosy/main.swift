import ArgosyCommands
import Glibc

exit(runCommand(CommandLine.arguments))
