package ical_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
)

var seeds = []string{
	event("UID:1\nDTSTART;TZID=Europe/Berlin:20260102T030405\n"),
	"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDESCRIPTION:a\n b\n\n c\nnot a property\nEND:VTODO\n",
	"\ufeffBEGIN:VEVENT\rATTENDEE;CN=\"x;mailto:a@b\rEND:VALARM\rEND:VEVENT\r",
	"  BEGIN:VCALENDAR\r\r\n  UID:7\r\r\n  BEGIN:VEVENT\r\r\n   fold\r\r\n  BEGIN:VTODO\r\r\n",
	"BEGIN:VCALENDAR\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\nb=\n c\nEND:VCALENDAR\njunk\nBEGIN:VCALENDAR\n",
	"BEGIN:VCALENDAR\nEND:VEVENT\nEND:X\nRECURRENCE-ID;THISANDFUTURE;VALUE=DATE:20260102T000000Z\nSEQUENCE:-\nEXDATE:1,2\nPROFILE\n :x\n",
	"PROFILE:;x:y\nMETHOD:;\n",
}

// What is read and not changed comes out as the octets it was; what is read
// can be normalized, written and read again with the same meaning.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ical.Parse(data)
		all, errAll := ical.ParseAll(data)
		if err != nil {
			return
		}
		if got := c.Bytes(); !bytes.Equal(got, data) {
			t.Fatalf("Parse then Bytes: got %q want %q", got, data)
		}
		if got := c.Clone().Bytes(); !bytes.Equal(got, data) {
			t.Fatalf("Clone then Bytes: got %q want %q", got, data)
		}
		if errAll == nil {
			var got []byte
			for _, c := range all {
				got = c.AppendTo(got)
			}
			if !bytes.Equal(got, data) {
				t.Fatalf("ParseAll then Bytes: got %q want %q", got, data)
			}
		}
		r := ical.NewReader(bytes.NewReader(data))
		for i := 0; ; i++ {
			if _, err := r.Next(); err != nil {
				break
			}
			if i > len(data) {
				t.Fatal("the reader does not end")
			}
		}
		parts, joined := ical.NewReader(bytes.NewReader(data)), []byte(nil)
		for i := 0; ; i++ {
			part, err := parts.NextPart()
			if err == io.EOF {
				if joined = append(joined, parts.Trailer()...); errAll == nil && !bytes.Equal(joined, data) {
					t.Fatalf("parts: got %q want %q", joined, data)
				}
				break
			}
			if err != nil {
				break
			}
			joined = part.AppendTo(joined)
			if i > len(data) {
				t.Fatal("the parts do not end")
			}
		}
		touch(&c.Component)
		n := c.Clone()
		n.Normalize()
		once := n.Bytes()
		again, err := ical.Parse(once)
		if err != nil {
			t.Fatalf("normalized %q: %v", once, err)
		}
		for line := range bytes.Lines(once) {
			if len(line) > 77 || !bytes.HasSuffix(line, []byte("\r\n")) {
				t.Fatalf("normalized line %q", line)
			}
		}
		lone := bytes.Count(data, []byte{'\r'}) != bytes.Count(data, []byte("\r\n"))
		if lone || bytes.Contains(bytes.ToUpper(data), []byte("QUOTED-PRINTABLE")) || !utf8.Valid(data) || bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' || r == 0x7f }) {
			return // leaving out controls may join what they parted; a final "=" goes on
		}
		if len(again.Repairs) > 0 {
			t.Fatalf("normalized %q: %v", once, again.Repairs)
		}
		if a, b := meaning(&n.Component), meaning(&again.Component); a != b {
			t.Fatalf("normalized %q\nmeant %q\nreads %q", once, a, b)
		}
		for _, one := range c.SplitByUID() {
			one.Bytes()
		}
	})
}

// touch calls every accessor: none may panic.
func touch(c *ical.Component) {
	for _, p := range c.Properties {
		p.Text()
		p.TextList()
		p.Time()
		p.Times()
		p.Duration()
		p.Periods()
		p.Int()
		p.Address().Key()
		p.Address().Email()
		p.Address().Domain()
		p.Raw()
		for n, v := range p.Params() {
			if len(v) == 0 || !p.HasParam(n) {
				panic("parameter " + n + " is there and is not")
			}
		}
	}
	for _, s := range c.Components {
		touch(s)
	}
}

func meaning(c *ical.Component) string {
	var b strings.Builder
	b.WriteString("{" + c.Name)
	for _, p := range c.Properties {
		b.WriteString("|" + p.Name() + "=" + p.Value())
		for n, v := range p.Params() {
			b.WriteString(";" + n + "=" + strings.Join(v, ","))
		}
	}
	for _, s := range c.Components {
		b.WriteString(meaning(s))
	}
	return b.String() + "}"
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"20260102", "20260102T030405Z", "2026-01-02T03:04:05.6+01:00", "199700819T220000Z", "00000101T000000", "99991231T235960Z", "20260102T240000"} {
		f.Add(s, "Europe/Berlin", false)
	}
	f.Fuzz(func(t *testing.T, value, tzid string, isDate bool) {
		v, err := ical.ParseTime(value, tzid, isDate)
		if err != nil {
			return
		}
		if y := v.Wall.Year(); y < 0 || y > 9999 || v.Wall.Location() != time.UTC {
			t.Fatalf("%q: wall %v", value, v.Wall)
		}
		again, err := ical.ParseTime(v.String(), tzid, v.IsDate())
		if err != nil || again.String() != v.String() {
			t.Fatalf("%q gives %v, which reads as %v, %v", value, v, again, err)
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"P1W", "-PT15M", "+P1DT2H3M4S", "PT0S", "P", "PT", "P1WT1H", "pt1h", "P99999999999D"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ical.ParseDuration(s)
		if err != nil {
			return
		}
		again, err := ical.ParseDuration(d.String())
		if err != nil || again != d {
			t.Fatalf("%q gives %v, which is written %q and reads as %v, %v", s, d, d.String(), again, err)
		}
	})
}

// A value, a text, a parameter that are set are what is read back, also after
// writing and parsing, and never become another line.
func FuzzProperty(f *testing.F) {
	f.Add("a;b,c\\n\n", "quote\" colon: caret^n\n", "x")
	f.Add(strings.Repeat("ü", 90), "", "\r\n ")
	f.Fuzz(func(t *testing.T, text, param, second string) {
		c := ical.New("-//x//y//EN")
		e := ical.NewComponent("VEVENT")
		c.Components = append(c.Components, e)
		p := ical.NewText("X-TEXT", text)
		p.SetParam("X-PARAM", param, second)
		p.SetParam("X-OTHER", "1")
		e.Add(p, ical.NewText("X-LAST", "last"))
		out := c.Bytes()
		for line := range bytes.Lines(out) {
			if len(line) > 77 {
				t.Fatalf("line of %d octets: %q", len(line), line)
			}
			if utf8.ValidString(text) && utf8.ValidString(param) && utf8.ValidString(second) && !utf8.Valid(line) {
				t.Fatalf("fold inside a character: %q", line)
			}
		}
		again, err := ical.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(again.Components[0].Properties); n != 2 {
			t.Fatalf("%d properties in %q", n, out)
		}
		q := again.Components[0].Prop("X-TEXT")
		norm := strings.NewReplacer("\r\n", "\n", "\r", "\n")
		if utf8.ValidString(text) && q.Text() != norm.Replace(text) {
			t.Fatalf("text %q reads as %q", text, q.Text())
		}
		clean := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
					return -1
				}
				return r
			}, norm.Replace(s))
		}
		want := []string{clean(param), clean(second)}
		got := q.ParamValues("X-PARAM")
		if utf8.ValidString(param) && utf8.ValidString(second) && (len(got) != 2 || got[0] != want[0] || got[1] != want[1]) {
			t.Fatalf("parameter %q reads as %q", want, got)
		}
		if q.Param("X-OTHER") != "1" {
			t.Fatalf("X-OTHER = %q", q.Param("X-OTHER"))
		}
	})
}
