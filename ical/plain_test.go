package ical

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/shared"
)

// readAll reads a stream of calendars, with or without the short way for
// plain lines, and tells everything that was understood.
func readAll(data []byte, l Limits, careful bool) string {
	p, err := newParser(data, l)
	if err != nil {
		return err.Error()
	}
	p.careful = careful
	var b strings.Builder
	for {
		c, err := p.calendar()
		if err != nil {
			fmt.Fprintln(&b, err)
			return b.String()
		}
		fmt.Fprintf(&b, "%q %q %v\n", c.prefix, c.eol, c.Repairs)
		tellAll(&b, &c.Component)
		fmt.Fprintln(&b, "at", p.at, p.line)
	}
}

func tellAll(b *strings.Builder, c *Component) {
	fmt.Fprintf(b, "%s %q %q %d %d %b {\n", c.Name, c.begin, c.end, c.read, c.line, c.open)
	for _, p := range c.Properties {
		fmt.Fprintf(b, "%d %b %s %q: %q = %q", p.line, p.flags, p.Name(), p.section(), p.Value(), p.raw)
		if p.flags&changed == 0 {
			fmt.Fprintf(b, " %d %d", p.lead, p.eol)
		}
		b.WriteByte('\n')
	}
	for _, s := range c.Components {
		tellAll(b, s)
	}
	b.WriteString("}\n")
}

func sameBothWays(t *testing.T, what string, data []byte, l Limits) {
	t.Helper()
	if short, long := readAll(data, l, false), readAll(data, l, true); short != long {
		at := 0
		for at < len(short) && at < len(long) && short[at] == long[at] {
			at++
		}
		cut := func(s string) string { return s[max(0, min(at-200, len(s))):min(len(s), at+200)] }
		t.Fatalf("%s: plain lines are read\n%s\nand otherwise\n%s\nof %.4000q", what, cut(short), cut(long), data)
	}
}

// ordinary is a calendar with a line of each kind.
const ordinary = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1@example.com
DTSTAMP:20260102T030405Z
DTSTART;TZID=Europe/Berlin:20260105T090000
DTEND;VALUE=DATE:20260105
RECURRENCE-ID;RANGE=THISANDFUTURE;TZID="a:b;c":20260105T090000
SUMMARY;LANGUAGE=en:one\, two
DESCRIPTION;ALTREP="http://example.com/a;b":long
  text
	with folds
ORGANIZER;CN=Ann:mailto:ann@example.com
ATTENDEE;CN="Example: Bob";PARTSTAT=ACCEPTED;RSVP=TRUE;SCHEDULE-AGENT=CLIE
 NT:mailto:bob@example.com
STATUS:CONFIRMED
SEQUENCE:3
X-MIXED-Case:1
x-lower;a=b:c
ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD
 REVG=
URL:http://example.com/=
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT5M
END:VALARM
X-AFTER:1
END:VEVENT
END:VCALENDAR
`

// odd are pieces that make a calendar odd.
var odd = []string{"\n", "\r", "\r\n", " ", "\t", ":", ";", "\"", "=", "=\n", "\n ", "\n\n", "\r\r\n", "\x00", "\xe9", "é", "a", "Z", "BEGIN:", "END:", "BEGIN:VEVENT\n", "END:VEVENT\n",
	"BEGIN:VCALENDAR\n", "END:VCALENDAR\n", "VEVENT", "BEGIN;", "DTSTART", ";VALUE=DATE", ";ENCODING=QUOTED-PRINTABLE:a=\n", "http://", "mailto:", ";RSVP=YES", ";STATUS=", "needs action", "-1", "2026-01-02", "\ufeff", "https", "X", "\nA", "\r\n\t\r\n", "\u00a0", "\v"}

// mangle changes some places of text.
func mangle(r *rand.Rand, text string) string {
	for range 1 + r.IntN(5) {
		at := r.IntN(len(text) + 1)
		end := min(len(text), at+r.IntN(12)*r.IntN(2))
		text = text[:at] + odd[r.IntN(len(odd))] + text[end:]
	}
	return text
}

// What is read the short way is what is read the long way: ordinary and
// mangled calendars, with limits wide and narrow.
func TestPlainLinesReadAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5545, 2445))
	n := 6000
	if testing.Short() {
		n = 1000
	}
	for i := range n {
		text := ordinary
		if i%3 > 0 {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		if i > 2 {
			text = mangle(r, text)
		}
		if i%5 == 0 {
			text += text
		}
		sameBothWays(t, "mangled", []byte(text), Limits{})
		sameBothWays(t, "cut", []byte(text[:r.IntN(len(text))]), Limits{})
		sameBothWays(t, "limited", []byte(text), Limits{LineLength: 20 + r.IntN(60), Properties: 20 + r.IntN(20), Components: 3 + r.IntN(4), Depth: 2 + r.IntN(3)})
	}
}

func TestPlainLinesReadAlikeInCorpus(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	r := rand.New(rand.NewPCG(1, 2))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte("BEGIN:V")) || len(data) > 1<<19 {
			return err
		}
		sameBothWays(t, path, data, Limits{})
		sameBothWays(t, path+", mangled", []byte(mangle(r, string(data))), Limits{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzPlainLinesReadAlike(f *testing.F) {
	f.Add([]byte(ordinary))
	f.Add([]byte(strings.ReplaceAll(ordinary, "\n", "\r\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		sameBothWays(t, "input", data, Limits{})
		sameBothWays(t, "input, limited", data, Limits{LineLength: 30, Properties: 10, Components: 4, Depth: 3})
	})
}

// Each known name has its own place, and only upper-case names have a role.
func TestKnownNames(t *testing.T) {
	n := 0
	for place, k := range knownNames {
		name := knownSpelling[place]
		if name == "" {
			continue
		}
		n++
		if wordOf(name) != k.word || len(name) != int(k.length) || upper(name) != name || !onlyName(name) {
			t.Errorf("%q has the place of %v", name, k)
		}
		for _, tail := range []string{":", ";A=b:", ":long enough to be loaded at once"} {
			if got, role := lineName(name+tail, 0); got != len(name) || role != k.role {
				t.Errorf("%s%s: %d octets of role %d", name, tail, got, role)
			}
		}
		for _, other := range []string{name + "\x00", strings.ToLower(name), name + "X", name[1:] + "Z"} {
			if role := roleOf(other); role != roleNone {
				t.Errorf("%q has the role %d", other, role)
			}
		}
	}
	all := 0
	for _, list := range roles {
		all += len(list)
	}
	if n != all {
		t.Errorf("%d names have a place, %d should", n, all)
	}
}
