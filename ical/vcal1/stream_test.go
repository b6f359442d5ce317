package vcal1_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/vcal1"
)

// parts are the components of calendars but the zones, whose spans may differ
// where objects are seen one by one, as text.
func parts(cals []*ical.Calendar) (list []string) {
	for _, c := range cals {
		for _, p := range c.Properties {
			list = append(list, p.Name()+":"+p.Value())
		}
		for _, s := range c.Components {
			if s.Name == "VTIMEZONE" {
				list = append(list, "zone "+s.Text("TZID"))
				continue
			}
			list = append(list, string(s.Bytes()))
		}
		list = append(list, "end")
	}
	return list
}

// sameAsStream compares what Parse gives with what ToICalendar writes.
func sameAsStream(t *testing.T, data []byte, opt vcal1.Options) {
	t.Helper()
	cals, losses, err := vcal1.ParseOptions(data, opt)
	var out bytes.Buffer
	again, streamErr := vcal1.ToICalendar(&out, iotest.HalfReader(bytes.NewReader(data)), opt)
	if err != nil { // limits are of each component in a stream
		return
	}
	if streamErr != nil {
		t.Fatalf("%q is read as a whole, and as a stream %v", data, streamErr)
	}
	read, err := ical.ParseAll(out.Bytes())
	if err != nil {
		t.Fatalf("%q: %v\n%s", data, err, out.Bytes())
	}
	want, got := parts(cals), parts(read)
	sortEach := func(list []string) { // zones stand first in a stream
		for from := 0; from < len(list); {
			n := slices.Index(list[from:], "end")
			slices.SortStableFunc(list[from:from+n], func(a, b string) int {
				zone := func(s string) int {
					if strings.HasPrefix(s, "zone ") {
						return 0
					}
					return 1
				}
				return zone(a) - zone(b)
			})
			from += n + 1
		}
	}
	sortEach(want)
	sortEach(got)
	if !slices.Equal(want, got) {
		t.Fatalf("%q\nas a whole\n%q\nas a stream\n%q", data, want, got)
	}
	texts := func(list []vcal1.Loss) (s []string) {
		for _, l := range list {
			s = append(s, l.String())
		}
		slices.Sort(s)
		return s
	}
	if a, b := texts(losses), texts(again); len(a) < vcal1.DefaultLimits.Losses && !slices.Equal(a, b) {
		t.Fatalf("%q\nlosses as a whole\n%q\nas a stream\n%q", data, a, b)
	}
}

// A stream gives what the whole gives: late heads, several calendars, changed
// occurrences far from their series.
func TestStreamReadsAlike(t *testing.T) {
	texts := []string{
		"BEGIN:VCALENDAR\nVERSION:1.0\n" + // a changed occurrence before its series, the zone at the end
			"BEGIN:VEVENT\nUID:a#19960610T083000Z\nX-ICAL-RECURRENCE-ID:19960610T083000Z\nDTSTART:19960611T083000Z\nEND:VEVENT\n" +
			"BEGIN:VEVENT\nUID:b\nDTSTART:19960610T083000\nATTACH;ENCODING=BASE64:\n aGVsbG8=\n\nSUMMARY;ENCODING=QUOTED-PRINTABLE:a=\n=3Db\nEND:VEVENT\n" +
			"BEGIN:VTODO\nSUMMARY:without UID\nEND:VTODO\nBEGIN:VTODO\nSUMMARY:without UID\nBEGIN:VALARM\nTRIGGER:-PT1M\nEND:VALARM\nEND:VTODO\nBEGIN:VJOURNAL\nEND:VJOURNAL\n" +
			"BEGIN:VEVENT\nUID:a\nDTSTART:19960609T083000Z\nRRULE:D1 #3\nEXDATE:19960610T083000Z;19960611T083000Z\nEND:VEVENT\n" +
			"TZ:+01\nDAYLIGHT:TRUE;+02;19960331T020000;19961027T030000;A;B\nGEO:1,2\nX-OWN:x\nEND:VCALENDAR\n\n" +
			"BEGIN:VCALENDAR\rVERSION:1.0\rBEGIN:VEVENT\rUID:a\rDTSTART:19960609T083000Z\rDTEND:19960609T083000Z\rEND:VEVENT\rBEGIN:VCALENDAR\rVERSION:1.0\r",
		"\ufeffnothing",
	}
	files, err := filepath.Glob("testdata/*.vcs")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	for _, s := range texts {
		sameAsStream(t, []byte(s), vcal1.Options{})
		sameAsStream(t, []byte(strings.ReplaceAll(s, "\n", "\r\n")), vcal1.Options{})
	}
}

// What is written as a stream is what Marshal writes, but that each component
// has its position.
func TestStreamWritesAlike(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ics")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		cal, err := ical.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		want, losses, err := vcal1.Marshal(cal)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := vcal1.NewWriter(&out)
		for range 2 {
			if err := w.Begin(cal.Properties); err != nil {
				t.Fatal(err)
			}
			for _, c := range cal.Components {
				if err := w.Component(c); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		withoutGeo := func(s string) string {
			var b strings.Builder
			for l := range strings.Lines(s) {
				if !strings.HasPrefix(l, "GEO:") {
					b.WriteString(l)
				}
			}
			return b.String()
		}
		if got := withoutGeo(out.String()); got != strings.Repeat(withoutGeo(string(want)), 2) {
			t.Errorf("%s becomes\n%s\nas a whole\n%s", name, got, want)
		}
		if len(w.Losses()) != 2*len(losses) {
			t.Errorf("%s: losses %v, as a whole %v", name, w.Losses(), losses)
		}
	}
}

// A component or line without end is refused, and what fails to be read is the
// error.
func TestStreamLimits(t *testing.T) {
	const head = "BEGIN:VCALENDAR\nVERSION:1.0\n"
	for _, again := range []string{"x", "\n x", "X-A:b\n", "BEGIN:VEVENT\nX-A:b\n", "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n", "X-A:b\nBEGIN:VEVENT\nEND:VEVENT\n", "\n"} {
		endless := io.MultiReader(strings.NewReader(head), repeat(again))
		var pe *vcal1.ParseError
		_, err := vcal1.ToICalendar(io.Discard, io.LimitReader(endless, 8<<20), vcal1.Options{Limits: vcal1.Limits{Size: 1 << 16}})
		if !errors.As(err, &pe) || !errors.Is(err, vcal1.ErrLimit) {
			t.Errorf("%q again and again: %v", again, err)
		}
	}
	broken := errors.New("broken")
	if _, err := vcal1.ToICalendar(io.Discard, io.MultiReader(strings.NewReader(head), iotest.ErrReader(broken)), vcal1.Options{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// repeat is a text without end.
type repeat string

func (r repeat) Read(b []byte) (n int, err error) {
	for n < len(b) {
		m := copy(b[n:], r)
		if m < len(r) && n > 0 {
			break
		}
		n += m
	}
	return n, nil
}
