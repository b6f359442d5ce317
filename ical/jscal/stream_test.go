package jscal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jscal"
)

// parts are calendars as text, but for the spans of their zones: those may
// differ where entries are seen one by one.
func parts(cals []*ical.Calendar) (list []string) {
	for _, c := range cals {
		var zones, others []string
		for _, p := range c.Properties {
			list = append(list, string(p.Name()+":"+p.Value()))
		}
		for _, s := range c.Components {
			if s.Name == "VTIMEZONE" {
				zones = append(zones, "zone "+s.Text("TZID"))
			} else {
				others = append(others, string(s.Bytes()))
			}
		}
		slices.Sort(zones)
		list = append(append(append(list, zones...), others...), "end")
	}
	return list
}

func sameAsStream(t *testing.T, data []byte, l jscal.Limits) {
	t.Helper()
	cals, losses, err := jscal.ParseLimits(data, l)
	var out bytes.Buffer
	again, streamErr := jscal.ToICalendar(&out, iotest.HalfReader(bytes.NewReader(data)), jscal.Options{Limits: l})
	if err != nil { // limits are of each entry in a stream
		return
	}
	if streamErr != nil {
		t.Fatalf("%q is read as a whole, and as a stream %v", data, streamErr)
	}
	var read []*ical.Calendar
	if len(cals) > 0 {
		if read, err = ical.ParseAll(out.Bytes()); err != nil {
			t.Fatalf("%q: %v\n%s", data, err, out.Bytes())
		}
	}
	if want, got := parts(cals), parts(read); !slices.Equal(want, got) {
		t.Fatalf("%q\nas a whole\n%q\nas a stream\n%q", data, want, got)
	}
	if !slices.Equal(losses, again) {
		t.Fatalf("%q\nlosses as a whole\n%q\nas a stream\n%q", data, losses, again)
	}
}

// A stream gives what the whole gives: what a Group says behind its entries,
// zones of its own, entries that are none.
func TestStreamReadsAlike(t *testing.T) {
	const zone = `{"@type":"TimeZone","tzId":"x","standard":[{"start":"1970-01-01T00:00:00","offsetFrom":"+0100","offsetTo":"+01:00"}]}`
	for _, s := range []string{
		"\ufeff" + ` { "entries" : [ {"@type":"Event","uid":"a","start":"2026-03-02T09:00:00","timeZone":"/x"} , 7, {"@type":"Task","uid":"ä\u00e4\n","due":"2026-03-02T09:00:00","timeZone":"Europe/Berlin","method":"publish"}],
			"iCalendar":{"components":[["vjournal",[["uid",{},"text","j"]],[]],["vfreebusy",[],[]]],"@type":"ICalComponent","name":"vcalendar","properties":[["x-a",{},"unknown","b"]]},
			"timeZones":{"/x":` + zone + `},"title":"after","prodId":"p","@type":"Group","vendor:x":{"a":[1,2.5e3,null,true,"]}"]}}` + "\n ",
		`[{"@type":"Event","entries":[1],"start":"2026-03-02T09:00:00","iCalendar":{"name":"vevent","components":[["valarm",[["action",{},"text","DISPLAY"]],[]]]}},{"@type":"Group","entries":[],"iCalendar":{"name":"other","components":[[]]}}]`,
		`[]`,
	} {
		sameAsStream(t, []byte(s), jscal.Limits{})
	}
}

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
		for _, more := range []string{"", "BEGIN:VJOURNAL\r\nUID:j\r\nEND:VJOURNAL\r\nBEGIN:VJOURNAL\r\nUID:k\r\nEND:VJOURNAL\r\n"} {
			cal, err := ical.Parse(bytes.Replace(data, []byte("END:VCALENDAR"), []byte(more+"END:VCALENDAR"), 1))
			if err != nil {
				t.Fatal(err)
			}
			text, losses, err := jscal.Marshal(cal)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			w := jscal.NewWriter(&out)
			w.Array = true
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
			var want any
			var got []any
			if err := errors.Join(json.Unmarshal(text, &want), json.Unmarshal(out.Bytes(), &got)); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out.Bytes())
			}
			if !reflect.DeepEqual([]any{want, want}, got) {
				t.Errorf("%s becomes\n%s\nas a whole\n%s", name, out.Bytes(), text)
			}
			if len(w.Losses()) != 2*len(losses) {
				t.Errorf("%s: losses %v, as a whole %v", name, w.Losses(), losses)
			}
		}
	}
}

func TestStreamLimits(t *testing.T) {
	for text, again := range map[string]string{`{"a":"`: "x", `{"a":`: "[", `{"@type":"Group","entries":[{"a":`: `[{"a":`, `{"iCalendar":{"components":["`: "x "} {
		_, err := jscal.ToICalendar(io.Discard, io.LimitReader(io.MultiReader(strings.NewReader(text), repeat(again)), 1<<20), jscal.Options{Limits: jscal.Limits{Size: 1 << 16}})
		if pe := (*jscal.ParseError)(nil); !errors.As(err, &pe) || !errors.Is(err, jscal.ErrLimit) {
			t.Errorf("%s %q again and again: %v", text, again, err)
		}
	}
	many := io.MultiReader(strings.NewReader(`{"@type":"Group"`), io.LimitReader(repeat(`,"a":{"b":"ccccc"}`), 4<<20))
	if _, err := jscal.ToICalendar(io.Discard, many, jscal.Options{Limits: jscal.Limits{Size: 1 << 16}}); !errors.Is(err, jscal.ErrLimit) {
		t.Error(err)
	}
	broken := errors.New("broken")
	if _, err := jscal.ToICalendar(io.Discard, io.MultiReader(strings.NewReader(`{"@type":"Gro`), iotest.ErrReader(broken)), jscal.Options{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// repeat is a text without end.
type repeat string

func (r repeat) Read(b []byte) (n int, err error) {
	for len(b)-n >= len(r) {
		n += copy(b[n:], r)
	}
	return n, nil
}
