package ical_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/harness/shared"
)

var begins = regexp.MustCompile(`(?m)^BEGIN:VCALENDAR\r?$`)

// Every file of the corpus that holds a calendar is given back octet for
// octet, in bounded time.
func TestCorpusIsLossless(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "corpus")
	files, calendars := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		begin := time.Now()
		all, err := ical.ParseAll(data)
		if err == nil {
			calendars += len(all)
			var got []byte
			for _, c := range all {
				got = c.AppendTo(got)
			}
			if !bytes.Equal(got, data) {
				t.Errorf("%s: ParseAll then Bytes differs%s", path, firstDifference(data, got))
			}
			c, err := ical.Parse(data)
			if err != nil {
				t.Errorf("%s: ParseAll reads it, Parse says %v", path, err)
			} else if got := c.Bytes(); !bytes.Equal(got, data) {
				t.Errorf("%s: Parse then Bytes differs%s", path, firstDifference(data, got))
			}
		} else if begins.Match(data) {
			t.Errorf("%s: %v", path, err)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s took %v", path, took)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d calendars", files, calendars)
	if calendars < 2000 {
		t.Errorf("only %d calendars in %d files", calendars, files)
	}
}

func firstDifference(want, got []byte) string {
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	cut := func(b []byte) string { return string(b[max(0, min(i-40, len(b))):min(len(b), i+40)]) }
	return "\n want " + strconv.Quote(cut(want)) + "\n got  " + strconv.Quote(cut(got))
}
