#include <zlib.h>

// A macro that Swift cannot call: reads gzip only.
static inline int argosy_inflate_gzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
