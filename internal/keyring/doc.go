// Package keyring keeps the keys and certificates that mail is signed,
// encrypted and verified with: people's own keys, other people's, and the
// authorities that certify them.
//
// A key belongs to an account or to the whole site ([store.Site]), which every
// account uses beside its own. A key is believed ([Trusted]), only remembered
// from a message that bore it ([Collected]), or not believed any more
// ([Revoked]); what is revoked for the site is revoked for everyone.
//
// Private keys lie in the store as they are: who can read the store's file can
// use them, as with every mail server's keys. They leave it by Export alone.
package keyring
