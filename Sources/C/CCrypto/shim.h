// libcrypto's low-level SHA-256: EVP would first set up providers, which takes longer than most of our messages do.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/pem.h>
#include <openssl/ec.h>

// Macros and variadics that Swift cannot call.
static inline EVP_PKEY *argosy_p256_key(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); }
// The bytes belong to the BIO.
static inline long argosy_bio_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
