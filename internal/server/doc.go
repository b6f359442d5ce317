// Package server wires everything from one configuration: store, services,
// transports and front ends. It holds no rule of scheduling; it decides who
// knows whom, what listens where, and in which order things start and stop.
//
// Two servers can live in one process (`convene demo` does it): nothing here
// or below is kept in a package variable.
package server
