package jcal_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/jcal"
	"github.com/convene-cal/convene/internal/harness/meaning"
	"github.com/convene-cal/convene/internal/harness/shared"
)

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
