// Package cli is the command line: one typed struct for each command, which
// reads its arguments, calls a service and prints facts.
//
// Promises to scripts: exit status 0 done, 1 failed, 2 wrong usage; facts on
// standard output, a line each, JSON with --json; errors on standard error as
// one sentence that says what to do; passwords from a prompt or
// --password-stdin, never from an argument. Commands on the store work beside
// a running server.
package cli
