//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/ical/jscal"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/ical/vcal1"
	"github.com/convene-cal/convene/ical/xcal"
)

// slowSize is the input that no reader or converter may take longer than
// slowTime of one processor for: what costs the square of its length costs
// minutes at the sizes that strangers may send.
const (
	slowSize = 64 << 10
	slowTime = time.Second
)

// hostile gives texts in which one thing is repeated as often as slowSize has
// room for.
func hostile() map[string]string {
	fill := func(s string) string { return strings.Repeat(s, slowSize/len(s)) }
	part := func(s string) string { return strings.Repeat(s, slowSize/8/len(s)) }
	const (
		head  = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"
		event = head + "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T030405Z\r\n"
		tail  = "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	)
	in := map[string]string{}
	// Within the value of a property, its parameters, a line, a component.
	pieces := []string{
		";", ",", ":", "\"", "\\", "\\n", "\\,", "^", "^n", "=", "=\r\n", "=3D", "\r\n ", "\n ", "\n\n ", "\r\r\n ", "\r", "\n", "\x00", "\xff", "é", "\r\n\t\r\n",
		" ", "\t", "P", "-", "0", "9", "T1", "1D", "MO,", "1,", "-1,", "1MO,", "/", "P1D,", "20260102T030405Z,", "20260102,", "20260102T030405Z/PT1H,",
		"FREQ=DAILY;", "BYDAY=MO;", "x=1;", "a;b=c", ";A=1", ";A=\"1\"", ";A=1,2", ";A", ";TZID=x", ";X=^'", "mailto:", "mailto:a@b,", "<", "&", "&amp;", "<a>", "{", "[", "[[", "{\"a\":", "\"\",",
		"A:b\r\n", "A;B=c:d\r\n", "A\r\n", "BEGIN:X\r\n", "END:X\r\n", "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "BEGIN:VALARM\r\nEND:VALARM\r\n", "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
		"BEGIN", "BEGIN:", "END:", " BEGIN:VEVENT\r\n", "RRULE:FREQ=DAILY\r\n", "RRULE:FREQ=SECONDLY\r\n", "EXDATE:20260102T030405Z\r\n", "RDATE:20260102T030405Z\r\n", "ATTENDEE:mailto:a@b\r\n", "CATEGORIES:a,b\r\n",
		"SUMMARY:a\r\nb\r\n", "DTSTART;TZID=a:20260101T000000\r\n", "X-\r\n b:c\r\n", "abc ", "http://x/ ", "EXRULE:FREQ=DAILY\r\n", "D1 #0 ", "MP1 1+ FR ", "YM1 6 #0\r\n", "DALARM:19960415T235000;PT5M;2;Your\r\n",
		"TZ:-05\r\n", "DAYLIGHT:TRUE;-06;19960407T025959;19961027T010000;EST;EDT\r\n", "JSPROP;JSPTR=a/b:1\r\n", "JSPROP;JSPTR=title:\"x\"\r\n", "X-WR-TIMEZONE:Europe/Berlin\r\n",
		"BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260101T000000Z\r\nRECURRENCE-ID:20260101T000000Z\r\nEND:VEVENT\r\n",
		"BEGIN:VTIMEZONE\r\nTZID:a\r\nEND:VTIMEZONE\r\n", "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=SECONDLY\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n",
	}
	for _, p := range pieces {
		in[fmt.Sprintf("%q alone", p)] = fill(p)
		in[fmt.Sprintf("%q after the head", p)] = head + fill(p)
		in[fmt.Sprintf("%q in a component", p)] = event + fill(p) + tail
		in[fmt.Sprintf("%q in parameters", p)] = event + "ATTENDEE;X=" + fill(p) + ":mailto:a@b" + tail
		for _, name := range []string{"SUMMARY", "RRULE", "EXDATE", "RDATE", "DURATION", "CATEGORIES", "GEO", "ATTENDEE", "X-A", "REQUEST-STATUS", "ATTACH;ENCODING=QUOTED-PRINTABLE", "DTSTART;TZID=Europe/Berlin", "TRIGGER", "DTEND"} {
			in[fmt.Sprintf("%q in %s", p, name)] = event + name + ":" + fill(p) + tail
		}
		in[fmt.Sprintf("%q in vCalendar", p)] = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\n" + "BEGIN:VEVENT\r\nDTSTART:19960401T033000Z\r\nRRULE:" + fill(p) + tail
		in[fmt.Sprintf("%q in a vCalendar component", p)] = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\n" + "BEGIN:VEVENT\r\nDTSTART:19960401T033000Z\r\n" + fill(p) + tail
		in[fmt.Sprintf("%q in a vCalendar", p)] = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\n" + fill(p) + "END:VCALENDAR\r\n"
	}
	// Many components, each of which is work by itself.
	for _, rule := range []string{
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;BYYEARDAY=366;BYHOUR=3;BYSECOND=60;BYSETPOS=366", "FREQ=DAILY;INTERVAL=2147483647",
		"FREQ=MINUTELY;INTERVAL=59;BYHOUR=4;BYMINUTE=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6", "FREQ=HOURLY;INTERVAL=7;BYYEARDAY=-366;BYDAY=FR;BYHOUR=0",
		"FREQ=SECONDLY;COUNT=2147483647", "FREQ=SECONDLY;COUNT=2147483647;BYSECOND=1,2,3;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;INTERVAL=1000;BYDAY=MO;BYMONTH=2;BYSETPOS=-7", "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=0;BYMINUTE=0;BYSECOND=0",
		"RSCALE=GREGORIAN;SKIP=FORWARD;FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=DAILY;UNTIL=99991231T235959Z", "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1;BYSETPOS=31", "FREQ=SECONDLY;INTERVAL=61;BYMINUTE=30;BYSECOND=59;BYDAY=MO;BYMONTH=2;BYMONTHDAY=29",
	} {
		one := "BEGIN:VEVENT\r\nUID:%d\r\nDTSTART;TZID=Europe/Berlin:20260102T030405\r\n%s:" + rule + "\r\n%sEND:VEVENT\r\n"
		many := func(name, more string) string {
			var b strings.Builder
			b.WriteString(head)
			for i := 0; b.Len() < slowSize/8; i++ { // each may take a few milliseconds to be found empty
				fmt.Fprintf(&b, one, i, name, more)
			}
			return b.String() + "END:VCALENDAR\r\n"
		}
		in["many of "+rule] = many("RRULE", "")
		in["many EXRULE of "+rule] = many("RRULE:FREQ=DAILY\r\nEXRULE", "")
		in["many EXDATE of "+rule] = many("RRULE", "EXDATE;TZID=Europe/Berlin:20260102T030405\r\n")
		in["many overrides of "+rule] = strings.Replace(many("RRULE", ""), "RRULE:", "X-RULE:", -1) + many("RRULE", "RECURRENCE-ID;TZID=Europe/Berlin;RANGE=THISANDFUTURE:20260102T030405\r\n")
		in["a zone with many rules "+rule] = head + "BEGIN:VTIMEZONE\r\nTZID:Z\r\n" + part("BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:"+rule+"\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n") +
			"END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Z:20260101T000000\r\nRRULE:FREQ=DAILY" + tail
	}
	{
		var zones, same, uses strings.Builder
		for i := 0; zones.Len() < slowSize/2; i++ {
			fmt.Fprintf(&zones, "BEGIN:VTIMEZONE\r\nTZID:Z%d\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n", i)
			fmt.Fprintf(&uses, "BEGIN:VEVENT\r\nUID:%d\r\nDTSTART;TZID=Z%d:20260102T030405\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n", i, i)
			fmt.Fprintf(&same, "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Z%d:20260102T030405\r\nRECURRENCE-ID;TZID=Z%d:20260102T030405\r\nEND:VEVENT\r\n", i, i)
		}
		in["many zones"] = head + zones.String() + uses.String() + "END:VCALENDAR\r\n"
		in["many zones in one series"] = head + zones.String() + same.String() + "END:VCALENDAR\r\n"
	}
	for _, start := range []string{"[\"vcalendar\",[", "[\"vcalendar\",[],[", "{\"@type\":\"Group\",\"entries\":[", "{\"@type\":\"Event\",\"uid\":\"1\",\"title\":\"", "{\"@type\":\"Event\",\"recurrenceOverrides\":{", "<icalendar xmlns=\"urn:ietf:params:xml:ns:icalendar-2.0\"><vcalendar><components>", "<?xml version=\"1.0\"?>", "<a b=\""} {
		for _, p := range []string{"[", "{", "\"a\",", "[\"a\",{},\"text\",\"b\"],", "[],", "\\u0041", "\\", " ", "1", "1,", "\"a\":1,", "\"a\":{", "{\"@type\":\"Event\"},", "<a>", "<a/>", "<a xmlns=\"b\">", "&amp;", "<!--", "<![CDATA[", "a b=\"c\" ", "xmlns:a=\"b\" ", "é", "\"2026-01-01T00:00:00\":{},", "\"2026-01-01T00:00:00\":{\"title\":\"x\"},"} {
			in[fmt.Sprintf("%q after %s", p, start)] = start + fill(p)
		}
	}
	return in
}

// cpu is the time the process has spent computing.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// readers are all the ways in which a text from outside is read, and what is
// made of it then.
var readers = map[string]func(data []byte){
	"ical": func(data []byte) {
		cal, err := ical.Parse(data)
		if err == nil {
			cal.Normalize()
			cal.Bytes()
		}
	},
	"check":   func(data []byte) { check.Bytes(data, check.Options{}) },
	"jcal":    func(data []byte) { jcal.ParseAll(data) },
	"xcal":    func(data []byte) { xcal.ParseAll(data) },
	"jscal":   func(data []byte) { jscal.Parse(data) },
	"vcal1":   func(data []byte) { vcal1.Parse(data) },
	"to jcal": func(data []byte) { written(data, func(c *ical.Calendar) { jcal.Marshal(c) }) },
	"to xcal": func(data []byte) { written(data, func(c *ical.Calendar) { xcal.Marshal(c) }) },
	"to jscal": func(data []byte) {
		written(data, func(c *ical.Calendar) {
			if out, _, err := jscal.Marshal(c); err == nil {
				jscal.Parse(out)
			}
		})
	},
	"to vcal1": func(data []byte) {
		written(data, func(c *ical.Calendar) {
			if out, _, err := vcal1.Marshal(c); err == nil {
				vcal1.Parse(out)
			}
		})
	},
	"split": func(data []byte) { written(data, func(c *ical.Calendar) { c.SplitByUID() }) },
	"zones": func(data []byte) {
		written(data, func(c *ical.Calendar) { tz.Complete(c, tz.NewResolver(c, nil)) })
	},
	"parts": func(data []byte) {
		for r := ical.NewReader(bytes.NewReader(data)); ; {
			if _, err := r.NextPart(); err != nil {
				return
			}
		}
	},
	"expand": func(data []byte) {
		e := env{Streams: Streams{In: bytes.NewReader(data), Out: io.Discard, Err: io.Discard}}
		icalExpand{Files: []string{"-"}, Limit: 10}.Run(&e)
	},
	"diff": func(data []byte) {
		side := &diffSide{contexts: map[string]int{}}
		defer side.close()
		eachPart(bytes.NewReader(data), side)
		compareSorted(side, &diffSide{}, func(difference) {})
	},
}

func written(data []byte, do func(*ical.Calendar)) {
	if all, err := ical.ParseAll(data); err == nil {
		for _, c := range all {
			do(c)
		}
	}
}

// Nobody keeps us busy with a small file.
func TestNoSmallInputIsSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute: not in short runs")
	}
	for what, text := range hostile() {
		for name, read := range readers {
			began := cpu()
			read([]byte(text))
			limit := slowTime
			if strings.HasPrefix(what, "many") { // a tenth of a second for each
				limit *= 5
			}
			if took := cpu() - began; took > limit {
				t.Errorf("%s: %s takes %v", name, what, took)
			}
		}
	}
}

// FuzzTime looks for texts that some reader or converter is slow with.
func FuzzTime(f *testing.F) {
	for what, text := range hostile() {
		if len(what)%16 == 0 {
			f.Add([]byte(text[:min(len(text), 2<<10)]))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > slowSize {
			return
		}
		for name, read := range readers {
			began := cpu()
			read(data)
			if took := cpu() - began; took > slowTime {
				t.Errorf("%s takes %v for %d octets", name, took, len(data))
			}
		}
	})
}
