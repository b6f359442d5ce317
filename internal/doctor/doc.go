// Package doctor examines a service from where it runs: store, clock, time zone
// data, listeners, TLS, DNS records and the way that mail takes. Each finding
// says what was seen and, where it is not well, what to do about it.
//
// Nothing is changed, and nothing is asked of the network but what the
// configuration names: its domains, its public URL and its relay. Questions
// have a time limit each.
package doctor
