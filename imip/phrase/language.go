package phrase

import (
	"sort"
	"strconv"
	"strings"
)

// row is a phrase in all languages, in the order of tags.
type row [4]string

// tags of the columns.
var tags = [...]string{"en", "de", "fr", "es"}

// columns are the translations by the English; nil for English itself.
var columns = func() (list [len(tags)]map[string]string) {
	for i := 1; i < len(tags); i++ {
		list[i] = map[string]string{}
		for _, rows := range [][]row{dates, rules, events, mails, page} {
			for _, r := range rows {
				list[i][r[0]] = r[i]
			}
		}
	}
	return list
}()

// Language is one that texts can be in. The zero value is English.
type Language struct{ column int }

// Tag is its language tag (RFC 5646).
func (l Language) Tag() string { return tags[l.column] }

// Say gives a phrase in the language, and gives back what it does not know.
func (l Language) Say(english string) string {
	if s, ok := columns[l.column][english]; ok {
		return s
	}
	return english
}

// Translate is Say, or nil for English: what package itip's readers take.
func (l Language) Translate() func(string) string {
	if l.column == 0 {
		return nil
	}
	return l.Say
}

// Tags are those of all languages there are.
func Tags() []string { return append([]string(nil), tags[:]...) }

// Of finds the first of some language tags that there is a language for, by its
// beginning: "de-AT" is German (lookup, RFC 4647 3.4).
func Of(wanted ...string) (Language, bool) {
	for _, w := range wanted {
		primary, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(w), "_", "-"), "-")
		for i, tag := range tags {
			if strings.EqualFold(tag, primary) {
				return Language{i}, true
			}
		}
	}
	return Language{}, false
}

// maxRanges of an Accept-Language that are looked at.
const maxRanges = 30

// Accepted chooses by an Accept-Language field: of those there are the one of the
// greatest weight, of equal ones the first. A range that is "*" takes what there is.
func Accepted(field string) (Language, bool) {
	type choice struct {
		tag    string
		weight float64
	}
	var list []choice
	for n, part := range strings.Split(field, ",") {
		if n == maxRanges {
			break
		}
		tag, parameter, _ := strings.Cut(part, ";")
		c := choice{strings.TrimSpace(tag), 1}
		if q, ok := strings.CutPrefix(strings.ReplaceAll(parameter, " ", ""), "q="); ok {
			var err error
			if c.weight, err = strconv.ParseFloat(q, 64); err != nil {
				c.weight = 0
			}
		}
		if c.weight > 0 && c.tag != "" {
			list = append(list, c)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].weight > list[j].weight })
	for _, c := range list {
		if c.tag == "*" {
			return Language{}, true
		}
		if l, ok := Of(c.tag); ok {
			return l, true
		}
	}
	return Language{}, false
}
