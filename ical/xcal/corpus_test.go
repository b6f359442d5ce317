package xcal_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/xcal"
	"github.com/convene-cal/convene/internal/harness/meaning"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// Every calendar of the corpus comes back from xCal with the same meaning, by
// Parse and by the streaming Reader.
func TestCorpusRoundTrip(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	calendars, failures := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all, err := ical.ParseAll(data)
		if err != nil {
			return nil
		}
		for i, c := range all {
			calendars++
			begin := time.Now()
			what := roundTrip(c)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s, calendar %d took %v", path, i, took)
			}
			if what != "" {
				if failures++; failures < 30 {
					t.Errorf("%s, calendar %d: %s", path, i, what)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calendars", calendars)
	if calendars < 2000 {
		t.Errorf("only %d calendars", calendars)
	}
}

func roundTrip(c *ical.Calendar) string {
	text, err := xcal.Marshal(c)
	if err != nil {
		return err.Error()
	}
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			return "this is not XML: " + err.Error() + " in " + string(text)
		}
	}
	back, err := xcal.Parse(text)
	if err != nil {
		return err.Error() + " in " + string(text)
	}
	if what := meaning.Difference(c, back); what != "" {
		return what
	}
	r := xcal.NewReader(&trickle{text})
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

// trickle gives a text in pieces of odd sizes.
type trickle struct{ data []byte }

func (r *trickle) Read(b []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1+len(r.data)%4099)], r.data)
	r.data = r.data[n:]
	return n, nil
}

func TestSamplesAreRead(t *testing.T) {
	root := filepath.Join(shared.Dir(t), "corpus")
	n := 0
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xcal" {
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c, err := xcal.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		if what := roundTrip(c); what != "" {
			t.Errorf("%s: %s", path, what)
		}
		return nil
	})
	if n == 0 {
		t.Error("no samples")
	}
}
