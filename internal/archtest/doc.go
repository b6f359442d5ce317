// Package archtest states which package of this module may import which, and
// its test fails on an import or a package that the table does not foresee.
package archtest
