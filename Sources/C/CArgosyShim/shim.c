#include "argosy_shim.h"
int argosy_shim_version(void) { return 1; }
