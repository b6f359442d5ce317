// Package problem is a refusal a person can act on: a condition that every
// front end can put into its own protocol, a sentence that says what is wrong
// and what to do, and the cause for the log.
//
// Services return *Problem for whatever the caller can mend; any other error
// is ours, is logged, and is shown as [Internal] without its text.
package problem
