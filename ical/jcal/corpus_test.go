package jcal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/internal/harness/meaning"
	"github.com/convene-cal/convene/internal/harness/shared"
)

// Every calendar of the corpus comes back from jCal with the same meaning, by
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
	text, err := jcal.Marshal(c)
	if err != nil {
		return err.Error()
	}
	if !json.Valid(text) {
		return "this is not JSON: " + string(text)
	}
	back, err := jcal.Parse(text)
	if err != nil {
		return err.Error() + " in " + string(text)
	}
	if what := meaning.Difference(c, back); what != "" {
		return what
	}
	r := jcal.NewReader(&trickle{text})
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

// differs are the expectations of ical.js that we do not share, with the
// reason.
var differs = map[string]string{
	"boolean":          "MAYBE is no BOOLEAN: a string, not false",
	"float":            "text that is no FLOAT: a string, not 0",
	"integer":          "text that is no INTEGER: a string, not 0",
	"escape_semicolon": "a vCard",
}

func TestExpectedOfICALJS(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus", "ical.js", "test", "parser")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		text, err := os.ReadFile(filepath.Join(dir, name+".ics"))
		if err != nil {
			continue
		}
		all, err := ical.ParseAll(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b []byte
		for i, c := range all {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jcal.AppendTo(b, c)
		}
		if len(all) > 1 {
			b = append(append([]byte{'['}, b...), ']')
		}
		expected, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := json.Unmarshal(expected, &want); err != nil {
			t.Fatal(err)
		}
		if same := reflect.DeepEqual(got, want); !same && differs[name] == "" {
			w, _ := json.Marshal(want)
			t.Errorf("%s:\n got %s\nwant %s", name, b, w)
		} else if same && differs[name] != "" {
			t.Errorf("%s: does not differ any more", name)
		}
		if back, err := jcal.ParseAll(expected); err != nil {
			t.Errorf("%s: their jCal: %v", name, err)
		} else if what := meaning.Difference(all[0], back[0]); what != "" && differs[name] == "" {
			t.Errorf("%s: their jCal: %s", name, what)
		}
	}
}

func TestSamplesAreRead(t *testing.T) {
	root := filepath.Join(shared.Dir(t), "corpus")
	n := 0
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".jcal" {
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c, err := jcal.Parse(text)
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
