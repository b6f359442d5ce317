// Package gate keeps what people and administrators say about whose messages
// are applied, and notices when somebody sends more of them than is good.
//
// A rule is about an address, a domain or everybody, of one account or of the
// site: refuse, hold, always known, a least level of proof for each method,
// signatures only. Rules make the site's policy stricter and never looser;
// package trust obeys them.
//
// A flood is more messages in an hour, by one sender, from one domain or to one
// recipient, than a limit (RFC 5546 6.1.5, 6.2.2). Counting is in memory and by
// process: it costs no row for mail that is fine, and an hour's error of two
// nodes is none. Each outbreak is a row, so that it can be looked at and settled
// by whoever has the store.
package gate
