package tz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var repack = flag.Bool("repack", false, "write zoneinfo.bin from the zone files of this Go installation")

// TestPackedZones holds our copy of the zone data against the one that comes
// with Go, when that has the same version. `go test ./ical/tz -run Packed -repack`
// takes a new version over.
func TestPackedZones(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("SKIP: no go command to ask for its zone files: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), "lib", "time")
	script, err := os.ReadFile(filepath.Join(dir, "update.bash"))
	if err != nil {
		t.Skipf("SKIP: no zone files with this Go: %v", err)
	}
	version := string(regexp.MustCompile(`(?m)^DATA=(\w+)`).FindSubmatch(script)[1])
	if !*repack && version != Version() {
		t.Skipf("SKIP: Go brings %s, embedded is %s", version, Version())
	}
	z, err := zip.OpenReader(filepath.Join(dir, "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	zones := map[string]string{}
	var names []string
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		zones[f.Name] = string(data)
		names = append(names, f.Name)
	}
	if *repack {
		if err := os.WriteFile("zoneinfo.bin", pack(version, names, zones), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("wrote %d zones of %s", len(names), version)
		return
	}
	if got := Names(); len(got) != len(names) {
		t.Errorf("%d names, want %d", len(got), len(names))
	}
	for name, want := range zones {
		if got, ok := find(name); !ok || got.data != want || got.name != name {
			t.Errorf("%s: not as it comes with Go", name)
		}
	}
}

func pack(version string, names []string, zones map[string]string) []byte {
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	var toc, data bytes.Buffer
	at := map[string]int{}
	for _, name := range names {
		tzif := zones[name]
		from, ok := at[tzif]
		if !ok {
			from = data.Len()
			at[tzif] = from
			data.WriteString(tzif)
		}
		toc.WriteByte(byte(len(name)))
		toc.WriteString(name)
		toc.Write(binary.BigEndian.AppendUint32(nil, uint32(from)))
		toc.Write(binary.BigEndian.AppendUint32(nil, uint32(len(tzif))))
	}
	out := []byte(packedMagic + version + "\n")
	out = binary.BigEndian.AppendUint32(out, uint32(len(names)))
	return append(append(out, toc.Bytes()...), data.Bytes()...)
}
