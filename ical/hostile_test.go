package ical_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
)

func wrap(body string) string { return "BEGIN:VCALENDAR\r\n" + body + "END:VCALENDAR\r\n" }

// Input made to be slow: each is read, or refused with a position, in time
// linear in its size. The bound is generous; quadratic work takes minutes.
func TestHostileInputIsLinear(t *testing.T) {
	const n = 1 << 18
	many := func(s string) string { return strings.Repeat(s, n/len(s)) }
	for name, text := range map[string]string{
		"a million parameters":            wrap("X" + many(";A=b") + ":v\r\n"),
		"a million parameters, no colon":  wrap("ATTENDEE" + many(";A=b") + "\r\n"),
		"a million bare parameters":       wrap("ATTENDEE" + many(";a") + ":v\r\n"),
		"a million MAILTO parameters":     wrap("ATTENDEE" + many(";mailto") + ":v\r\n"),
		"a million old parameters":        wrap("ATTENDEE" + many(";TYPE=a") + ":v\r\n"),
		"a million values":                wrap("X;A=" + many("b,") + "b:v\r\n"),
		"unterminated quotes":             wrap(many("X;A=\"b:v\r\n")),
		"a long unterminated quote":       wrap("X;A=\"" + many("b;") + "\r\n"),
		"many quotes":                     wrap("X;A=" + many(`"a",`) + ":v\r\n"),
		"odd quotes":                      wrap("X;A=" + many(`"`) + "\"\r\n"),
		"folds":                           wrap("X:a" + many("\r\n b") + "\r\n"),
		"empty folds":                     wrap("X:a" + many("\r\n ") + "\r\n"),
		"folds without blank":             wrap("X:a" + many("\r\nbbb") + "\r\n"),
		"folded names":                    wrap(many("a\r\n b\r\n")),
		"blank lines":                     wrap("X:a" + many("\r\n")),
		"blank lines and folds":           wrap("X:a" + many("\r\n\r\n b")),
		"lines of carriage returns":       wrap("X:a" + many("\r") + "\r\n"),
		"only carriage returns":           "BEGIN:VCALENDAR" + many("\r") + "END:VCALENDAR",
		"NULs":                            wrap("X:" + many("\x00") + "\r\n"),
		"dates":                           wrap("EXDATE:" + many("2024-01-01,") + "\r\n"),
		"END lines":                       wrap(many("END:VEVENT\r\n")),
		"BEGIN lines side by side":        wrap(many("BEGIN:VEVENT\r\n")),
		"a million calendars not ended":   many("BEGIN:VCALENDAR\r\n"),
		"angle brackets":                  wrap("ATTENDEE:" + many("<") + "\r\n"),
		"mailto after mailto":             wrap("ATTENDEE:" + many("mailto:") + "\r\n"),
		"backslashes":                     wrap("X:" + many(`\`) + "\r\n"),
		"circumflexes":                    wrap("X;A=" + many("^") + ":v\r\n"),
		"Latin-1":                         wrap("X:" + many("\xe9") + "\r\n"),
		"quoted-printable":                wrap("X;ENCODING=QUOTED-PRINTABLE:" + many("=\r\n")),
		"components that miss their end":  wrap(many("BEGIN:VEVENT\r\nBEGIN:VALARM\r\n")),
		"indented":                        many("  BEGIN:VCALENDAR\r\n   X:1\r\n"),
		"properties between components":   wrap(many("X:1\r\nBEGIN:A\r\nEND:A\r\n")),
		"an attendee's endless quote":     wrap("ATTENDEE;CN=\"" + many("a;") + ":mailto:a@b\r\n"),
		"attendees with endless quotes":   wrap(many("ATTENDEE;CN=\"b:mailto:a@b\r\n")),
		"quotes in a person's parameters": wrap("ATTENDEE" + many(`;CN="a"`) + ":mailto:a@b\r\n"),
		"folds without an end":            wrap("X:a" + many("\r\n b") + "\r\n" + many("\r\n")),
		"folded lines with odd ends":      wrap(many("X:a\r\n b\r\r\n")),
		"lines with equals signs":         wrap(many("X:a=\r\n")),
		"text that looks like the prefix": many("BEGIN:VCARD\r\n"),
	} {
		begin := time.Now()
		all, err := ical.ParseAll([]byte(text))
		if err == nil {
			var got []byte
			for _, c := range all {
				got = c.AppendTo(got)
				for _, p := range c.Properties {
					p.Text()
					p.Times()
					p.TextList()
					p.Address().Key()
					p.ParamValues("A")
					for range p.Params() {
					}
					p.SetParam("X-NEW", "1")
				}
				c.SplitByUID()
				c.Normalize()
			}
			if string(got) != text {
				t.Errorf("%s: not lossless", name)
			}
		} else if pe := (*ical.ParseError)(nil); !errors.As(err, &pe) || pe.Line == 0 {
			t.Errorf("%s: %v has no position", name, err)
		}
		t.Logf("%-35s %v", name, time.Since(begin))
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// A limit passed is an error with the place, and ErrLimit.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits ical.Limits
		text   string
		line   int
	}{
		{"size", ical.Limits{Size: 20}, wrap("X:1\r\n"), 1},
		{"depth", ical.Limits{Depth: 3}, wrap("BEGIN:A\r\nBEGIN:B\r\nBEGIN:C\r\n"), 4},
		{"components", ical.Limits{Components: 2}, wrap("BEGIN:A\r\nEND:A\r\nBEGIN:A\r\nEND:A\r\n"), 4},
		{"properties", ical.Limits{Properties: 2}, wrap("A:1\r\nA:1\r\nA:1\r\n"), 4},
		{"line length", ical.Limits{LineLength: 40}, wrap("A:1\r\nA:" + strings.Repeat("a\r\n ", 50) + "\r\n"), 3},
	} {
		for way, parse := range map[string]func() error{
			"ParseLimits":    func() error { _, err := ical.ParseLimits([]byte(tt.text), tt.limits); return err },
			"ParseAllLimits": func() error { _, err := ical.ParseAllLimits([]byte(tt.text), tt.limits); return err },
			"Reader": func() error {
				_, err := ical.NewReaderLimits(strings.NewReader(tt.text), tt.limits).Next()
				return err
			},
		} {
			err := parse()
			pe := (*ical.ParseError)(nil)
			if !errors.As(err, &pe) || !errors.Is(err, ical.ErrLimit) {
				t.Errorf("%s, %s: %v", tt.name, way, err)
			} else if pe.Line != tt.line && !(way == "Reader" && tt.name == "size") {
				t.Errorf("%s, %s: line %d, want %d", tt.name, way, pe.Line, tt.line)
			}
		}
	}
	deep := strings.Repeat("BEGIN:X\r\n", 1<<16)
	if _, err := ical.Parse([]byte(wrap(deep))); !errors.Is(err, ical.ErrLimit) {
		t.Errorf("deep nesting: %v", err)
	}
}

// An error says where: line, property, what.
func TestErrors(t *testing.T) {
	c := parse(t, event("DTSTART:tomorrow\nDURATION:1 hour\nSEQUENCE:7\nPRIORITY:high\nFREEBUSY:x\n"))
	e := c.Components[0]
	for _, tt := range []struct {
		err  func() error
		want string
	}{
		{func() error { _, err := e.Prop("DTSTART").Time(); return err }, `ical: line 5: DTSTART: "tomorrow" is not a date or time`},
		{func() error { _, err := e.Prop("DURATION").Duration(); return err }, `ical: line 6: DURATION: "1 hour" is not a duration`},
		{func() error { _, err := e.Prop("PRIORITY").Int(); return err }, `ical: line 8: PRIORITY: "high" is not an integer`},
		{func() error { _, err := e.Prop("FREEBUSY").Periods(); return err }, `ical: line 9: FREEBUSY: "x" is not a period`},
		{func() error { _, err := ical.Parse([]byte("hello\n")); return err }, `ical: line 1: no line BEGIN:VCALENDAR: this is not an iCalendar object`},
		{func() error { _, err := ical.Parse(nil); return err }, `ical: line 1: no line BEGIN:VCALENDAR: this is not an iCalendar object`},
	} {
		err := tt.err()
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v want %s", err, tt.want)
		}
	}
}
