// Throw-away certificates for node links. They prove nothing by themselves: each side says, in a MUNGE credential,
// which certificate is its own, and TLS keeps the connection to whoever holds its key.
internal import CCrypto

/// A fresh P-256 key and a certificate signed with it, both as PEM text.
public struct SelfSigned: Sendable {
    public let certificatePEM: String
    public let keyPEM: String

    public struct Failure: Error, CustomStringConvertible, Sendable {
        public let stage: String
        public var description: String { "cannot make a certificate: libcrypto failed at \(stage)" }
    }

    /// Makes a key and a certificate named `commonName`, good for ten years from a day ago (clocks differ). Throws
    /// `Failure` when libcrypto cannot.
    public static func make(commonName: String = "argosy") throws -> SelfSigned {
        guard let key = argosy_p256_key() else { throw Failure(stage: "making the key") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw Failure(stage: "making the certificate") }
        defer { X509_free(certificate) }
        try fill(certificate, key: key, commonName: commonName)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw Failure(stage: "signing") }
        return SelfSigned(
            certificatePEM: try pem("the certificate") { PEM_write_bio_X509($0, certificate) },
            keyPEM: try pem("the key") { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
    }

    private static func fill(_ certificate: OpaquePointer, key: OpaquePointer, commonName: String) throws {
        let day = 86_400
        var serial: UInt64 = 0
        guard
            withUnsafeMutableBytes(
                of: &serial,
                {
                    RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32($0.count)) == 1
                }),
            X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -day) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), 3650 * day) != nil,
            X509_set_pubkey(certificate, key) == 1
        else { throw Failure(stage: "filling in the certificate") }
        let name = X509_get_subject_name(certificate)
        let bytes = Array(commonName.utf8.prefix(64))
        guard X509_NAME_add_entry_by_txt(name, "CN", 0x1001, bytes, Int32(bytes.count), -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1
        else { throw Failure(stage: "naming the certificate") }
    }

    private static func pem(_ what: String, _ write: (OpaquePointer) -> Int32) throws -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw Failure(stage: "writing \(what)") }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw Failure(stage: "writing \(what)") }
        var bytes: UnsafeMutablePointer<CChar>?
        let count = argosy_bio_bytes(bio, &bytes)
        guard let bytes, count > 0 else { throw Failure(stage: "writing \(what)") }
        let raw = UnsafeRawBufferPointer(start: bytes, count: count)
        return String(decoding: raw, as: UTF8.self)
    }
}
