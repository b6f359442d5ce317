// Package pgp is PGP/MIME (RFC 3156): it signs, encrypts, verifies and opens
// MIME entities with OpenPGP keys (RFC 4880). The packets are read and written
// by gopenpgp; none of its types shows.
//
// An OpenPGP key speaks for the mail addresses in its user IDs, which whoever
// made it wrote there: what a signature is worth depends on where the key came
// from, which the caller knows. The web of trust is not evaluated.
//
// The package does no I/O and looks up no keys; the moment at which keys are
// judged is given. It may be used from several goroutines.
package pgp
