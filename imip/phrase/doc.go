// Package phrase has the sentences that Convene writes to people in the languages
// they read: English, German, French and Spanish. It is a table and two ways to
// choose a column of it: by a language tag (RFC 5646) and by what a browser
// accepts (RFC 9110 12.5.4).
//
// A phrase is found by its English. There are single words, names of days and
// months, layouts of dates in the manner of package time, and formats for package
// fmt whose verbs may change places (%[2]s). What has no row stays English, which
// is right for whatever people wrote themselves. Phrases are of the mails of
// package imip, the page for guests, the summaries of package itip and the rules of
// package recur.
package phrase
