package caldav

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// TextMatch is a substring test (RFC 4791 9.7.5).
type TextMatch struct {
	Text      string
	Collation string // one of Collations
	Negate    bool

	folded string
}

// Collations are those a text-match may name; the first is the default
// (RFC 4791 7.5.1). i;unicode-casemap is RFC 5051.
var collations = []struct {
	name string
	fold func(string) string
}{
	{"i;ascii-casemap", asciiFold},
	{"i;octet", func(s string) string { return s }},
	{"i;unicode-casemap", unicodeFold},
}

// Collations lists the names of the collations that a text-match may use.
func Collations() []string {
	var names []string
	for _, c := range collations {
		names = append(names, c.name)
	}
	return names
}

func parseTextMatch(e *Element, had *TextMatch) (*TextMatch, error) {
	if had != nil {
		return nil, refuse("valid-filter", e.Line, "Only one text-match is allowed here.")
	}
	t := &TextMatch{Text: e.Text(), Collation: e.Attr("collation")}
	switch n := e.Attr("negate-condition"); n {
	case "", "no":
	case "yes":
		t.Negate = true
	default:
		return nil, refuse("valid-filter", e.Line, "negate-condition is %q; it must be yes or no.", n)
	}
	if t.Collation == "" || strings.EqualFold(t.Collation, "default") { // RFC 4791 7.5, RFC 4790 3.1
		t.Collation = collations[0].name
	}
	fold := foldOf(t.Collation)
	if fold == nil {
		// RFC 4791 7.5: never guessed
		return nil, refuse("supported-collation", e.Line, "The collation %q is not supported; use one of %s.", t.Collation, strings.Join(Collations(), ", "))
	}
	t.folded = fold(t.Text)
	return t, nil
}

func foldOf(collation string) func(string) string {
	for _, c := range collations {
		if c.name == collation {
			return c.fold
		}
	}
	return nil
}

// Match reports whether the value passes the test, negation included.
func (t *TextMatch) Match(value string) bool {
	fold := foldOf(t.Collation)
	folded := t.folded
	if folded == "" {
		folded = fold(t.Text)
	}
	return strings.Contains(fold(value), folded) != t.Negate
}

// asciiFold is i;ascii-casemap (RFC 4790 9.2): only A to Z change.
func asciiFold(s string) string {
	for i := 0; i < len(s); i++ {
		if 'a' <= s[i] && s[i] <= 'z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'a' <= b[i] && b[i] <= 'z' {
					b[i] -= 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// unicodeFold is i;unicode-casemap (RFC 5051 2): title case, then decomposed.
func unicodeFold(s string) string { return norm.NFKD.String(strings.Map(unicode.ToTitle, s)) }
