import ArgosyStep
import Glibc

exit(StepMain.run(CommandLine.arguments))
