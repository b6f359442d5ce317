// Package freebusy turns calendar objects into busy time: what RFC 5545 3.6.4
// calls a VFREEBUSY, by the rules of RFC 4791 7.10 and, for invitations, by the
// answer of the person who is asked about. RFC 7953 adds when that person is
// available at all.
package freebusy
