// Package mailbox fetches scheduling mail from IMAP mailboxes (RFC 3501), for
// people whose mail server cannot hand it over by LMTP or SMTP. It watches each
// mailbox with IDLE (RFC 2177), or asks again every minute where the server has
// none, and gives what looks like scheduling mail to the mail transport's
// intake.
//
// The mailbox stays its owner's: nothing is deleted or moved, no message is
// marked as read. What was looked at bears the keyword $Convene; where the
// server keeps no keywords, the watcher goes by UIDs and, after a restart, looks
// at the last days again: the intake knows mail it has had.
//
// Only mail with a calendar, a signed or encrypted part, or a delivery report is
// fetched. A mail that is fetched counts as taken when the intake has it on disk.
package mailbox
