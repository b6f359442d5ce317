package itip

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

// labels are the words for properties: as a heading, and within a sentence.
var labels = map[string][2]string{
	"DTSTART":     {"When", "the start"},
	"DTEND":       {"Until", "the end"},
	"DUE":         {"Due", "the due date"},
	"RRULE":       {"Repeats", "how it repeats"},
	"RDATE":       {"Additional date", "an additional date"},
	"EXDATE":      {"Not taking place", "an occurrence"},
	"STATUS":      {"Status", "the status"},
	"SUMMARY":     {"Title", "the title"},
	"LOCATION":    {"Where", "the place"},
	"DESCRIPTION": {"Description", "the description"},
	"URL":         {"Link", "the link"},
	"CONFERENCE":  {"Conference", "the conference link"},
	"ATTACH":      {"Attachment", "the attachments"},
	"GEO":         {"Position", "the position"},
	"PRIORITY":    {"Priority", "the priority"},
	"RESOURCES":   {"Resources", "the resources"},
	"CLASS":       {"Classification", "the classification"},
	"CONTACT":     {"Contact", "the contact"},
	"ATTENDEE":    {"Guests", "the guests"},
	"PARTSTAT":    {"Answer", "an answer"},
	"COMMENT":     {"Note", "a note"},
	"ORGANIZER":   {"Organizer", "the organizer"},
}

func propertyWord(name string) string {
	if l, ok := labels[name]; ok {
		return l[1]
	}
	return name
}

var answerWords = map[string]string{
	partStatAccepted: "accepted", partStatDeclined: "declined", partStatTentative: "may come to",
	partStatDelegated: "delegated", partStatNeeds: "has not decided about", "COMPLETED": "has completed", "IN-PROCESS": "is working on",
}

func answerWord(partstat string) string {
	if w, ok := answerWords[partstat]; ok {
		return w
	}
	return "answered"
}

var (
	answerNouns = map[string]string{partStatAccepted: "accepted", partStatDeclined: "declined", partStatTentative: "tentative",
		partStatDelegated: "delegated", partStatNeeds: "not answered", "COMPLETED": "completed", "IN-PROCESS": "in process"}
	statusNouns = map[string]string{"CONFIRMED": "confirmed", "TENTATIVE": "tentative", "CANCELLED": "cancelled",
		partStatNeeds: "to do", "COMPLETED": "completed", "IN-PROCESS": "in process", "": ""}
)

// Reader is for whom a change is put into words.
type Reader struct {
	Zone *tz.Zone // their clock; nil = UTC
	// Translate gives a phrase of this package, or of package recur, in their language: words, names of
	// days and months, layouts of dates in the manner of package time, and formats
	// whose verbs %[1]s, %[2]s may change places. What it does not know it gives
	// back. nil = English.
	Translate func(english string) string
}

func (r Reader) t(english string) string {
	if r.Translate == nil || english == "" {
		return english
	}
	return r.Translate(english)
}

// say fills a phrase.
func (r Reader) say(format string, args ...any) string { return fmt.Sprintf(r.t(format), args...) }

// Words puts a difference into words for a person in zone z (nil = UTC): a
// heading and both values, of which one is empty where something was added or
// removed.
func (d Difference) Words(z *tz.Zone) (label, old, new string) { return Reader{Zone: z}.Words(d) }

// Sentence says the difference in one sentence for a person in zone z (nil =
// UTC), without the full stop.
func (d Difference) Sentence(z *tz.Zone) string { return Reader{Zone: z}.Sentence(d) }

// Words is [Difference.Words] for the reader.
func (r Reader) Words(d Difference) (label, old, new string) {
	label = d.Property
	if l, ok := labels[d.Property]; ok {
		label = r.t(l[0])
	}
	if d.RecurrenceID != "" {
		label += " (" + r.Moment(d.RecurrenceID) + ")"
	}
	old, new = d.Old, d.New
	switch d.Property {
	case "EXDATE":
		if d.New == "" {
			return r.t("Takes place after all"), "", r.Moment(d.Old)
		}
		return label, "", r.Moment(d.New)
	case "DTSTART", "DTEND", "DUE", "RDATE":
		return label, r.Moment(d.Old), r.Moment(d.New)
	case "PARTSTAT":
		return label, r.t(noun(answerNouns, d.Old)), r.t(noun(answerNouns, d.New))
	case "STATUS":
		return label, r.t(noun(statusNouns, d.Old)), r.t(noun(statusNouns, d.New))
	case "RRULE": // rules are kept in English words
		if old == "" {
			old = r.t("once")
		}
		if new == "" {
			new = r.t("once")
		}
	}
	return label, old, new
}

func noun(table map[string]string, s string) string {
	if w, ok := table[s]; ok {
		return w
	}
	return strings.ToLower(s)
}

// Sentence is [Difference.Sentence] for the reader.
func (r Reader) Sentence(d Difference) string {
	_, old, new := r.Words(d)
	of := ""
	if d.RecurrenceID != "" {
		of = r.Moment(d.RecurrenceID)
	}
	single := of != "" // about one occurrence
	switch d.Property {
	case "DTSTART":
		switch {
		case single && d.RecurrenceID == d.Old:
			return r.say("moved the occurrence of %[1]s to %[2]s", of, new)
		case single:
			return r.say("moved the occurrence of %[1]s from %[2]s to %[3]s", of, old, r.after(d.Old, d.New, new))
		}
		return r.say("moved from %[1]s to %[2]s", old, r.after(d.Old, d.New, new))
	case "ATTENDEE":
		switch {
		case d.New != "" && single:
			return r.say("%[1]s added to the occurrence of %[2]s", new, of)
		case d.New != "":
			return r.say("%[1]s added", new)
		case single:
			return r.say("%[1]s removed from the occurrence of %[2]s", old, of)
		}
		return r.say("%[1]s removed", old)
	case "EXDATE":
		if d.New != "" {
			return r.say("does not take place on %[1]s", new)
		}
		return r.say("takes place on %[1]s after all", new)
	case "RDATE":
		if d.New != "" {
			return r.say("also takes place on %[1]s", new)
		}
		return r.say("no longer takes place on %[1]s", old)
	case "STATUS":
		if single {
			return r.say("is now %[1]s at the occurrence of %[2]s", new, of)
		}
		return r.say("is now %[1]s", new)
	}
	what := r.t(propertyWord(d.Property))
	if single {
		what = r.say("%[1]s of %[2]s", what, of)
	}
	switch {
	case d.Property == "DESCRIPTION" || d.Property == "ATTACH":
		return r.say("%[1]s changed", what)
	case old == "":
		return r.say("%[1]s is now %[2]s", what, new)
	case new == "":
		return r.say("%[1]s (%[2]s) removed", what, old)
	}
	return r.say("%[1]s changed from %[2]s to %[3]s", what, old, new)
}

// after words the second of two moments: of the same day, in the same distance
// from UTC, its time alone.
func (r Reader) after(first, second, words string) string {
	was, date, ok := keyTime(first)
	is, _, ok2 := keyTime(second)
	if !ok || !ok2 || date {
		return words
	}
	z := r.zone()
	w, o := z.Wall(was)
	v, p := z.Wall(is)
	if o != p || w.Format(dayLayout) != v.Format(dayLayout) {
		return words
	}
	return v.Format(r.t(timeLayout))
}

// Summary says all that changed in one line that begins with a capital and ends
// with a full stop, what goes without saying left out; "" when nothing did.
func (r Reader) Summary(list []Difference) string { return strings.TrimSpace(r.sentences(list)) }

// maxSentences bounds how many differences one sentence lists.
const maxSentences = 4

// sentences joins differences for a result; "" when there are none.
func sentences(list []Difference, z *tz.Zone) string { return Reader{Zone: z}.sentences(list) }

func (r Reader) sentences(list []Difference) string {
	var parts []string
	list = Brief(list)
	for i, d := range list {
		if left := len(list) - i; i == maxSentences && left > 1 {
			parts = append(parts, r.say("and %[1]d more changes", left))
			break
		}
		s := r.Sentence(d)
		if len(s) > 200 && !moments[d.Property] {
			s = r.say("%[1]s changed", r.t(propertyWord(d.Property)))
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return ""
	}
	s := strings.Join(parts, "; ")
	first, n := utf8.DecodeRuneInString(s)
	return " " + string(unicode.ToUpper(first)) + s[n:] + "."
}

// moments are the properties whose words are long but never idle.
var moments = set("DTSTART", "DTEND", "DUE", "RDATE", "EXDATE")

// Brief leaves out what goes without saying: the end of what moved as a whole.
func Brief(list []Difference) []Difference {
	starts := map[string]time.Duration{}
	shift := func(d Difference) (time.Duration, bool) {
		was, _, ok := keyTime(d.Old)
		is, _, ok2 := keyTime(d.New)
		return is.Sub(was), ok && ok2
	}
	for _, d := range list {
		if by, ok := shift(d); ok && d.Property == "DTSTART" {
			starts[d.RecurrenceID] = by
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(d Difference) bool {
		if d.Property != "DTEND" {
			return false
		}
		moved, ok := starts[d.RecurrenceID]
		by, readable := shift(d)
		return ok && readable && by == moved
	})
}

// occurrencesOf lists the occurrences that differences are about.
func occurrencesOf(list []Difference, z *tz.Zone) string {
	var parts []string
	for _, d := range list {
		if d.RecurrenceID != "" {
			parts = append(parts, moment(d.RecurrenceID, z))
		}
	}
	parts = slices.Compact(parts)
	if len(parts) > maxSentences {
		parts = append(parts[:maxSentences], "…")
	}
	if len(parts) == 0 {
		return ""
	}
	return " It is about " + strings.Join(parts, "; ") + "."
}

const (
	dayLayout  = "Monday, 2 January 2006"
	timeLayout = "15:04"
)

// moment writes a key (UTC instant or date) for a person in zone z (nil =
// UTC).
func moment(key string, z *tz.Zone) string { return Reader{Zone: z}.Moment(key) }

// Moment writes a UTC instant "20260302T090000Z" or a date "20260302" for the
// reader; what is neither, as it is.
func (r Reader) Moment(key string) string {
	at, isDate, ok := keyTime(key)
	if !ok {
		return key
	}
	if isDate {
		return r.format(at, dayLayout)
	}
	z := r.zone()
	wall, offset := z.Wall(at)
	return r.format(wall, dayLayout+", "+timeLayout) + " " + zoneWords(z.Name(), offset)
}

// Date writes a day without its weekday.
func (r Reader) Date(day time.Time) string { return r.format(day, "2 January 2006") }

func (r Reader) zone() *tz.Zone {
	if r.Zone == nil {
		return tz.UTC
	}
	return r.Zone
}

// rule says how a component repeats; "" for one that does not.
func (r Reader) rule(c *ical.Component) string {
	p := c.Prop("RRULE")
	if p == nil {
		return ""
	}
	rule, err := recur.ParseRule(p.Value())
	if err != nil {
		return p.Value()
	}
	return rule.TextIn(r.Translate)
}

// format writes a date in the reader's manner and with their names of days and
// months.
func (r Reader) format(t time.Time, layout string) string {
	if r.Translate == nil {
		return t.Format(layout)
	}
	// The names are put in after the figures, so that no name is read as a layout.
	s := t.Format(strings.NewReplacer("Monday", "\x01", "January", "\x02").Replace(r.t(layout)))
	return strings.NewReplacer("\x01", r.t(t.Weekday().String()), "\x02", r.t(t.Month().String())).Replace(s)
}

// zoneWords names a zone and its distance from UTC at a moment.
func zoneWords(name string, offset int) string {
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	if name == "" || name == "UTC" {
		if offset == 0 {
			return "(UTC)"
		}
		return fmt.Sprintf("(UTC%c%02d:%02d)", sign, offset/3600, offset/60%60)
	}
	return fmt.Sprintf("(%s, UTC%c%02d:%02d)", name, sign, offset/3600, offset/60%60)
}
