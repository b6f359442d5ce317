// Package archtest states which package of this module may import which, and
// its test fails on an import or a package that the table does not foresee. It
// also holds the documents to the sources: rules, links, the library's program.
package archtest
