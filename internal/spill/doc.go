// Package spill sorts records that need not fit into memory: what is more than
// a buffer goes to a temporary file in sorted runs, which are merged when they
// are read (external merge sort). The file has no name any more where the
// system allows that, so that nothing stays behind after a crash.
package spill
