package phrase

import (
	"regexp"
	"slices"
	"testing"
)

var verb = regexp.MustCompile(`%(\[\d\])?[0-9.]*[dsq]`)

// Each phrase is in all languages, with the verbs of the English.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, rows := range [][]row{dates, rules, events, mails, page} {
		for _, r := range rows {
			if seen[r[0]] {
				t.Errorf("%q is there twice", r[0])
			}
			seen[r[0]] = true
			want := verb.FindAllString(r[0], -1)
			slices.Sort(want)
			for i, s := range r {
				got := verb.FindAllString(s, -1)
				slices.Sort(got)
				if s == "" || !slices.Equal(got, want) && !placed(want, got) {
					t.Errorf("%s of %q is %q", tags[i], r[0], s)
				}
			}
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d phrases", len(seen))
	}
}

// placed tells whether verbs with places were only moved, or, where they have none,
// stayed: "%[1]s" once in the one and any number of times in the other is the same.
func placed(want, got []string) bool {
	return slices.Equal(slices.Compact(slices.Clone(want)), slices.Compact(slices.Clone(got)))
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		wanted []string
		tag    string
		known  bool
	}{
		{[]string{"de"}, "de", true}, {[]string{"de-AT"}, "de", true}, {[]string{"DE_ch"}, "de", true}, {[]string{"en-GB"}, "en", true},
		{[]string{"ja", "fr-CA"}, "fr", true}, {[]string{"ja"}, "en", false}, {[]string{""}, "en", false}, {nil, "en", false}, {[]string{"deu"}, "en", false},
	} {
		if l, known := Of(c.wanted...); l.Tag() != c.tag || known != c.known {
			t.Errorf("Of(%q) = %s, %v", c.wanted, l.Tag(), known)
		}
	}
}

func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		field, tag string
		known      bool
	}{
		{"de-DE,de;q=0.9,en;q=0.8", "de", true}, {"ja, fr;q=0.3, es;q=0.7", "es", true}, {"en;q=0.5, de;q=0", "en", true}, {"*", "en", true},
		{"ja", "en", false}, {"", "en", false}, {";;;,,;q=x", "en", false}, {"de;q=nonsense, fr", "fr", true}, {"da, en-gb;q=0.8, de;q=0.7", "en", true},
	} {
		if l, known := Accepted(c.field); l.Tag() != c.tag || known != c.known {
			t.Errorf("Accepted(%q) = %s, %v", c.field, l.Tag(), known)
		}
	}
}
