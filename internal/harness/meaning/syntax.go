package meaning

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// Syntax is another syntax of the model, as JSON or XML, with the tests that
// all of them pass.
type Syntax struct {
	Marshal   func(*ical.Calendar) ([]byte, error)
	AppendTo  func([]byte, *ical.Calendar) ([]byte, error)
	Parse     func([]byte) (*ical.Calendar, error)
	ParseAll  func([]byte) ([]*ical.Calendar, error)
	NewReader func(io.Reader) *ical.Reader
	Valid     func([]byte) error // what a reader of another hand says of a text
	Read      func([]byte) error // the same of a text that Parse reads; nil where we read more
	Extension string             // of samples in the corpus
}

// RoundTrip writes a calendar and reads it back, at once and as a stream. It
// tells what is another then, "" if nothing is.
func (s *Syntax) RoundTrip(c *ical.Calendar) string {
	text, err := s.Marshal(c)
	if err != nil {
		return err.Error()
	}
	if err := s.Valid(text); err != nil {
		return "not valid: " + err.Error() + " in " + string(text)
	}
	back, err := s.Parse(text)
	if err != nil {
		return err.Error() + " in " + string(text)
	}
	if what := Difference(c, back); what != "" {
		return what
	}
	r := s.NewReader(&Trickle{text})
	streamed, err := r.Next()
	if err != nil {
		return "streamed: " + err.Error()
	}
	if _, err := r.Next(); err != io.EOF {
		return "streamed: no end"
	}
	if !bytes.Equal(streamed.Bytes(), back.Bytes()) {
		return "streamed reads another text"
	}
	return ""
}

// Trickle gives a text in pieces of odd sizes.
type Trickle struct{ Data []byte }

func (r *Trickle) Read(b []byte) (int, error) {
	if len(r.Data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1+len(r.Data)%4099)], r.Data)
	r.Data = r.Data[n:]
	return n, nil
}

// walk goes over the files of the corpus.
func walk(t *testing.T, visit func(path string, data []byte)) {
	t.Helper()
	dir := filepath.Join(shared.Dir(t), "corpus")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			visit(path, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCorpus checks that every calendar of the corpus comes back with the
// same meaning.
func (s *Syntax) TestCorpus(t *testing.T) {
	calendars, failures := 0, 0
	walk(t, func(path string, data []byte) {
		all, err := ical.ParseAll(data)
		if err != nil {
			return
		}
		for i, c := range all {
			calendars++
			begin := time.Now()
			what := s.RoundTrip(c)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s, calendar %d took %v", path, i, took)
			}
			if what != "" {
				if failures++; failures < 30 {
					t.Errorf("%s, calendar %d: %s", path, i, what)
				}
			}
		}
	})
	t.Logf("%d calendars", calendars)
	if calendars < 2000 {
		t.Errorf("only %d calendars", calendars)
	}
}

// TestSamples checks that the samples of the syntax in the corpus are read,
// and written again with the same meaning.
func (s *Syntax) TestSamples(t *testing.T) {
	n := 0
	walk(t, func(path string, data []byte) {
		if filepath.Ext(path) != s.Extension {
			return
		}
		n++
		if c, err := s.Parse(data); err != nil {
			t.Errorf("%s: %v", path, err)
		} else if what := s.RoundTrip(c); what != "" {
			t.Errorf("%s: %s", path, what)
		}
	})
	if n == 0 {
		t.Error("no samples")
	}
}

// FuzzParse checks with the seeds and what comes of them: whatever is read
// ends, the stream reads the same, and what was read is written and read again
// with the same meaning.
func (s *Syntax) FuzzParse(f *testing.F, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := s.ParseAll(data)
		if err != nil {
			var place *ical.ParseError
			if !errors.As(err, &place) || place.Line < 1 || place.Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if s.Read != nil {
			if err := s.Read(data); err != nil {
				t.Fatalf("not valid: %v: %q", err, data)
			}
		}
		r := s.NewReader(&Trickle{data})
		for i, c := range all {
			streamed, err := r.Next()
			if err != nil {
				t.Fatalf("calendar %d streamed: %v", i, err)
			}
			if !bytes.Equal(streamed.Bytes(), c.Bytes()) {
				t.Fatalf("streamed %q\nis not %q", streamed.Bytes(), c.Bytes())
			}
			for line := range bytes.Lines(c.Bytes()) {
				if len(line) > 77 || !bytes.HasSuffix(line, []byte("\r\n")) {
					t.Fatalf("line %q", line)
				}
			}
			s.again(t, c)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("no end: %v", err)
		}
	})
}

// again checks a calendar that has nothing left to repair.
func (s *Syntax) again(t *testing.T, c *ical.Calendar) {
	c.Normalize()
	for range 2 { // a repair may show the next one
		var err error
		if c, err = ical.Parse(c.Bytes()); err != nil {
			t.Fatal(err)
		}
		c.Normalize()
	}
	if what := s.RoundTrip(c); what != "" {
		text, _ := s.Marshal(c)
		t.Fatalf("%s\nof %q\nas %s", what, c.Bytes(), text)
	}
}

// FuzzMarshal checks that every iCalendar text that can be read keeps its
// meaning.
func (s *Syntax) FuzzMarshal(f *testing.F) {
	for _, seed := range []string{
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260102\nRRULE:FREQ=DAILY;BYMONTH=5L,+06\nGEO:+1.50;-007\nEND:VEVENT\n",
		"BEGIN:VCALENDAR\nATTACH;ENCODING=BASE64:YQ==\nSUMMARY;ENCODING=BASE64:YSxi\nX;VALUE=TIME:030405Z,1\nREQUEST-STATUS:2;a\\;b;c;d\n",
		"BEGIN:VCALENDAR\nATTENDEE;MEMBER=\"a\";MEMBER=b,c;X=^n^':mailto:a@b\nTZOFFSETTO:-010203\nPRIORITY:high\nRDATE;VALUE=PERIOD:1/2,20260102T030405/PT1H\n",
		"BEGIN:VCALENDAR\nXML:<a xmlns=\"urn:x\">b</a>\nA_X:1\n1/2:x\nBEGIN:X.Y\nEND:X.Y\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := ical.Parse(data); err == nil {
			s.again(t, c)
		}
	})
}
