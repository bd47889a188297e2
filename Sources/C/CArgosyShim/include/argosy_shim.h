#pragma once
int argosy_shim_version(void);
