// Package account knows who uses this server: people, groups, rooms and
// resources, their calendar user addresses, and how they prove who they are.
//
// Account passwords are hashed with argon2id (RFC 9106). Since calendar
// clients send their password with every request (HTTP Basic, RFC 7617), a
// verified one is remembered for minutes, keyed by a secret of the process;
// app passwords are random and need no slow hash. Failed sign-ins are slowed
// by source and by login, and an unknown login takes as long as a wrong
// password.
package account
