// Package e2e tries the built binary from outside, as its users do: over
// HTTP, LMTP and SMTP, with real calendar clients, mail servers and signatures
// by other programs, and by killing it.
package e2e
