package tz

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/shared"
)

func TestWindowsNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(shared.Dir(t), "vectors", "windows-zones.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 {
			continue
		}
		for name := range strings.FieldsSeq(f[2]) {
			if _, err := Load(name); err != nil {
				t.Errorf("%s: %v", f[0], err)
			}
		}
		if f[1] != "001" {
			continue
		}
		n++
		for _, name := range []string{f[0], strings.ToUpper(f[0]), f[0] + " 1", `"` + f[0] + `"`} {
			if z, err := Load(name); err != nil || z.Name() != f[2] && f[0] != "UTC" {
				t.Errorf("%s: got %v, %v, want %s", name, z, err, f[2])
			}
		}
	}
	if n < 130 {
		t.Errorf("only %d zones", n)
	}
}

// TestOddNames: what Load makes of the TZIDs found in real data that are no
// IANA names. testdata/odd-tzids.txt has a line for each, "-" = unknown.
func TestOddNames(t *testing.T) {
	f, err := os.Open(filepath.Join(shared.Dir(t), "vectors", "odd-tzids.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got strings.Builder
	for s := bufio.NewScanner(f); s.Scan(); {
		var line struct{ TZID, Cls string }
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		z, guessed, err := load(line.TZID)
		mark := ""
		switch {
		case err == nil && guessed:
			mark = " (guessed)"
		case err != nil && !errors.Is(err, ErrUnknown):
			t.Error(err)
		case err != nil && line.Cls == "windows":
			t.Errorf("Windows name %q is not known", line.TZID)
		}
		name := "-"
		if z != nil {
			name = z.Name()
		}
		fmt.Fprintf(&got, "%q = %s%s\n", line.TZID, name, mark)
	}
	golden := filepath.Join("testdata", "odd-tzids.txt")
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s", got.String())
	}
}

func TestLoad(t *testing.T) {
	for name, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin", "europe/BERLIN": "Europe/Berlin", "UTC": "UTC", "US/Eastern": "US/Eastern",
		"/freeassociation.sourceforge.net/Tzfile/Europe/Berlin":        "Europe/Berlin",
		"/citadel.org/20211207_1/America/Argentina/Ushuaia":            "America/Argentina/Ushuaia",
		"W. Europe Standard Time":                                      "Europe/Berlin",
		"(UTC-05:00) Eastern Time (US & Canada)":                       "America/New_York",
		"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna": "Europe/Berlin",
		"Eastern Daylight Time":                                        "America/New_York",
		"tzone://Microsoft/Utc":                                        "Etc/UTC",
		"UTC+05:30":                                                    "UTC+05:30",
		"GMT-03:00":                                                    "Etc/GMT+3",
		"Mitteleuropäische Zeit":                                       "Europe/Berlin",
	} {
		if z, err := Load(name); err != nil || z.Name() != want {
			t.Errorf("%s: got %v, %v, want %s", name, z, err, want)
		}
	}
	for _, name := range []string{"", "/", "Customized Time Zone", "tzone://Microsoft/Custom", "America/New_Yrok", "foo", strings.Repeat("x", 1<<20), "\xff\xfe", "UTC+99"} {
		if z, err := Load(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%.40q: got %v, %v", name, z, err)
		}
	}
}

func TestVersion(t *testing.T) {
	if v := Version(); len(v) != 5 || v < "2025c" {
		t.Errorf("version %q", v)
	}
	// A version is the year of its release and a letter.
	if got := Released().Format("2006"); got != Version()[:4] {
		t.Errorf("%s was released in %s: write its day into the table released", Version(), got)
	}
}
