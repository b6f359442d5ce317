// Package cms reads and writes the Cryptographic Message Syntax (RFC 5652) as
// S/MIME 4.0 uses it (RFC 8551): signed data, enveloped data and authenticated
// enveloped data (RFC 5083).
//
// What it knows:
//   - Signatures with RSA (PKCS #1 v1.5 and PSS), ECDSA and Ed25519, over
//     SHA-256, SHA-384 and SHA-512. SHA-1 is read, and told as [Signature.Weak],
//     because old mail has it; MD5 is refused.
//   - Content keys for RSA (OAEP, and PKCS #1 v1.5 for programs of before S/MIME 4.0) and for elliptic
//     curves (RFC 5753, ephemeral-static ECDH), with AES key wrap (RFC 3394).
//   - Contents in AES-GCM (RFC 5084), and in AES-CBC and Triple DES on reading;
//     AES-128-CBC on writing for recipients that know no better.
//   - BER (X.690) on reading: OpenSSL, Outlook and smart cards stream with
//     indefinite lengths. What is written is DER.
//
// A signature that verifies says that the holder of a certificate's key signed
// these octets, and nothing more: whose certificate that is, and whether it is
// believed, is decided by who calls.
//
// The package takes values and gives values. It does no I/O, knows no clock and
// keeps nothing; randomness comes from crypto/rand alone, as the standard
// library's key operations have it. Every function may be called from several
// goroutines. Input has limits ([ErrLimit]) and never panics.
package cms
