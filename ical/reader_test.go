package ical_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

func readAll(t *testing.T, r *ical.Reader) (list []*ical.Calendar, text []byte) {
	t.Helper()
	for {
		c, err := r.Next()
		if err == io.EOF {
			return list, append(text, r.Trailer()...)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
		text = c.AppendTo(text)
	}
}

// The Reader gives what ParseAll gives, with the lines of the stream, and the
// octets of everything.
func TestReader(t *testing.T) {
	text := "\ufeff" + crlf("BEGIN:VCALENDAR\nUID:1\nEND:VCALENDAR\n\nBEGIN:VCALENDAR\nUID:2\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n-- \nAnn\n")
	list, got := readAll(t, ical.NewReader(iotest.OneByteReader(bytes.NewReader([]byte(text)))))
	if string(got) != text {
		t.Errorf("got %q want %q", got, text)
	}
	if len(list) != 2 || list[0].Line() != 1 || list[1].Line() != 5 || list[1].Components[0].Line() != 7 {
		t.Errorf("%d calendars, lines %d, %d", len(list), list[0].Line(), list[1].Line())
	}
	text = "BEGIN:VCALENDAR\nUID:1\nBEGIN:VCALENDAR\nUID:2\nEND:VCALENDAR\n"
	if list, got := readAll(t, ical.NewReader(bytes.NewReader([]byte(text)))); len(list) != 2 || string(got) != text || list[1].Line() != 3 {
		t.Errorf("without END: %d calendars, %q", len(list), got)
	}
	if _, err := ical.NewReader(bytes.NewReader([]byte("junk\n"))).Next(); err == nil || err == io.EOF {
		t.Errorf("junk: %v", err)
	}
	r := ical.NewReader(iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := r.Next(); err == nil {
		t.Error("the error of the stream is lost")
	}
}

func TestReaderGivesCorpus(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := ical.ParseAll(data); err != nil {
			return nil
		}
		files++
		if _, got := readAll(t, ical.NewReader(bytes.NewReader(data))); !bytes.Equal(got, data) {
			t.Errorf("%s: differs%s", path, firstDifference(data, got))
		}
		if _, got := readParts(t, ical.NewReader(bytes.NewReader(data))); !bytes.Equal(got, data) {
			t.Errorf("%s: in parts differs%s", path, firstDifference(data, got))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 2000 {
		t.Errorf("only %d files", files)
	}
}

func readParts(t *testing.T, r *ical.Reader) (list []*ical.Calendar, text []byte) {
	t.Helper()
	for {
		c, err := r.NextPart()
		if err == io.EOF {
			return list, append(text, r.Trailer()...)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
		text = c.AppendTo(text)
	}
}

// A calendar comes in parts of one component each, and parts may be changed.
func TestReaderParts(t *testing.T) {
	text := crlf("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT\nX-MID:1\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR\n\n")
	list, got := readParts(t, ical.NewReader(iotest.OneByteReader(bytes.NewReader([]byte(text)))))
	if string(got) != text || len(list) != 5 {
		t.Fatalf("%d parts, %q", len(list), got)
	}
	var changed []byte
	for i, c := range list {
		if len(c.Components) > 1 || len(c.Repairs) > 0 {
			t.Errorf("part %d: %d components, %v", i, len(c.Components), c.Repairs)
		}
		for _, e := range c.Components {
			if e.Line() != []int{0, 3, 0, 9}[i] {
				t.Errorf("part %d: line %d", i, e.Line())
			}
			e.SetText("SUMMARY", "new")
		}
		if i == 0 {
			c.SetText("VERSION", "2.1")
		}
		changed = c.AppendTo(changed)
	}
	want := crlf("BEGIN:VCALENDAR\nVERSION:2.1\nBEGIN:VEVENT\nUID:1\nSUMMARY:new\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT\nX-MID:1\nBEGIN:VEVENT\nUID:2\nSUMMARY:new\nEND:VEVENT\nEND:VCALENDAR\n")
	if string(changed) != want {
		t.Errorf("changed: got %q want %q", changed, want)
	}
}
