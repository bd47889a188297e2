#include <munge.h>
#include <stdint.h>

// munge_ctx_set is variadic, which Swift cannot call.
static inline munge_err_t argosy_munge_set_socket(munge_ctx_t context, const char *path) {
    return munge_ctx_set(context, MUNGE_OPT_SOCKET, path);
}
static inline munge_err_t argosy_munge_set_uid(munge_ctx_t context, uid_t uid) {
    return munge_ctx_set(context, MUNGE_OPT_UID_RESTRICTION, uid);
}
// The IPv4 address a decoded credential was made on, in network byte order.
static inline munge_err_t argosy_munge_get_address(munge_ctx_t context, uint32_t *address) {
    return munge_ctx_get(context, MUNGE_OPT_ADDR4, address);
}
