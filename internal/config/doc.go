// Package config is the one place where a setting has its name, its default
// and its meaning. A setting comes, in rising order of weight, from the
// default, from convene.toml, from the environment (CONVENE_HTTP_LISTEN for
// [http] listen) and from a flag of `convene serve` (--http-listen).
//
// The struct tags of [Config] are the table: `toml` is the key, `flag:"yes"`
// makes it a flag, `secret:"yes"` lets its value be `file:PATH` or `env:NAME`,
// `help` is its sentence in the documentation.
package config
